/** What the background thread does beside the main one. All of it is synchronous: that thread has no event loop to return to. */
export interface Job {
  /** Does what there is to do now, in bounded time, and says how long it can be left alone. Never throws. */
  run(): Rest;
  /** Whether something that should end this rest has come since `run` looked. Asked after the thread has announced its sleep. */
  isDue(rest: Rest): boolean;
  /** The server ends: does all that is left, within its own limit, and lets go of what it holds. Never throws. */
  finish(): void;
}

/** How a job rests. */
export interface Rest {
  /** Runs again after this at the latest; Infinity: when woken. A rest that is not light must be finite. */
  readonly afterMs: number;
  /** Anything new for the job ends it, not only what is urgent. */
  readonly isLight: boolean;
}
