import { suite } from "uvu";
import * as assert from "uvu/assert";
import { biweight } from "../../../src/harness/statistics/biweight.js";
import { fisherGreater } from "../../../src/harness/statistics/fisher.js";
import { hodgesLehmann } from "../../../src/harness/statistics/hodges-lehmann.js";
import { studentRatio } from "../../../src/harness/statistics/ratio.js";
import { tBeyond, twoSidedT } from "../../../src/harness/statistics/student-t.js";

/** Values from R 4.2.2; each with the expression that gave it. */
const near = (value: number, expected: number, tolerance = 1e-10): void =>
  assert.ok(Math.abs(value / expected - 1) <= tolerance, `${value} instead of ${expected}`);

const nine = [0.031, -0.012, 0.05, 0.018, 0.027, 0.044, -0.003, 0.022, 0.061];
const sixteen = [0.5, -0.2, 0.9, 1.4, 0.33, -0.41, 0.77, 1.1, 0.05, 0.62, 2.4, 0.81, -0.07, 0.48, 0.95, 1.7];
const blurred = [1.69, 1.72, 1.75, 0.23, 1.78, 1.81, 1.7, 1.77];
const modes = [0.01, -0.02, 0.03, 0.6, 0.61, 0.62, 0.6, -0.01, 0.63, 0.59];

const references = suite("agreement with R");

references("Student's t: 2*pt(-t, df) and qt(.975, df)", () => {
  for (const [t, freedom, p] of [
    [2.5, 2.25, 0.11575864880528726],
    [1, 6.75, 0.35180091533727936],
    [10, 3.15, 0.0017241311022217906],
    [0.3, 1, 0.81445284184451539],
    [40, 6.75, 2.8235158765085943e-9],
  ] as const) {
    near(twoSidedT(t, freedom), p);
    near(twoSidedT(-t, freedom), p);
  }
  assert.equal([twoSidedT(0, 3), twoSidedT(Number.POSITIVE_INFINITY, 3)], [1, 0]);
  for (const [freedom, t] of [
    [2.25, 3.875480223220666],
    [6.75, 2.3824944002213573],
    [3.15, 3.098408333226979],
    [1, 12.706204736174694],
  ] as const) {
    near(tBeyond(0.05, freedom), t);
  }
});

references("Hodges-Lehmann: wilcox.test(x, conf.int = TRUE) and the coverage by psignrank", () => {
  const found = hodgesLehmann(nine);
  near(found.location, 0.0265);
  near(found.p, 0.01953125);
  near(found.interval!.low, 0.0075);
  near(found.interval!.high, 0.046);
  near(found.interval!.level, 0.9609375);
  const more = hodgesLehmann(sixteen);
  near(more.location, 0.6775);
  near(more.p, 0.0013122558593750004, 1e-4);
  near(more.interval!.low, 0.285);
  near(more.interval!.high, 1.1);
  near(more.interval!.level, 0.9556884765625);
  near(hodgesLehmann(nine.slice(0, 6)).interval!.level, 0.96875);
  assert.is(hodgesLehmann(nine.slice(0, 5)).interval, null);
});

// bw <- function(x){M<-median(x);d<-mad(x,constant=1);u<-(x-M)/(6*d);w<-ifelse(abs(u)<1,(1-u^2)^2,0);L<-sum(w*x)/sum(w)
//  v<-(x-M)/(9*d);k<-abs(v)<1;s<-sqrt(length(x))*sqrt(sum(((x-M)^2*(1-v^2)^4)[k]))/abs(sum(((1-v^2)*(1-5*v^2))[k]))
//  n<-length(x);q<-n%/%4;o<-sort(x);g<-max(L-o[q+1],o[n-q]-L);se<-max(s,.8*g)/sqrt(n)
//  df<-.45*(n-1);c(L,se,L-qt(.975,df)*se,L+qt(.975,df)*se,2*pt(-abs(L/se),df))}
references("the biweight, its interval and its p, written out in R", () => {
  for (const [logs, location, standardError, low, high, p] of [
    [
      nine,
      0.027041598594146302,
      0.0077696280061573001,
      0.0044906788043555385,
      0.049592518383937065,
      0.030015181575933112,
    ],
    [sixteen, 0.64522974042567849, 0.17637653550694132, 0.22501363224994742, 1.0654458486014096, 0.0086199752887542794],
    [
      blurred.map(Math.log),
      0.55613363725145881,
      0.0094588940787308003,
      0.52682612101480797,
      0.58544115348810966,
      6.7570981174410982e-6,
    ],
    // Two modes: the guard makes the standard error, not the scale.
    [modes, 0.60798877833338438, 0.1512805243804034, 0.19000386578062872, 1.0259736908861401, 0.015491587601653639],
  ] as const) {
    const found = biweight(logs)!;
    near(found.location, location);
    near(found.standardError, standardError);
    const ratio = studentRatio(found);
    near(Math.log(ratio.interval!.low), low, 1e-9);
    near(Math.log(ratio.interval!.high), high, 1e-9);
    near(ratio.p, p, 1e-8);
  }
  assert.is(biweight(nine.slice(0, 5)), null);
  assert.is(biweight([1, 1, 1, 1, 2, 3]), null);
});

references('Fisher\'s exact test: fisher.test(matrix(c(3,1,1,3),2), alternative = "greater") and others', () => {
  near(fisherGreater({ hits: 3, trials: 4 }, { hits: 1, trials: 4 }), 0.24285714285714288);
  near(fisherGreater({ hits: 5, trials: 64 }, { hits: 0, trials: 64 }), 0.028818897637795254);
  near(fisherGreater({ hits: 9, trials: 64 }, { hits: 2, trials: 192 }), 8.5767744716249613e-5);
  assert.is(fisherGreater({ hits: 0, trials: 16 }, { hits: 3, trials: 16 }), 1);
  assert.is(fisherGreater({ hits: 2, trials: 16 }, { hits: 0, trials: 0 }), 1);
});

references.run();
