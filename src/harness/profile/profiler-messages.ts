/** Parent → profiled server: profile all threads from now on; stop, and write a .cpuprofile of each to a folder. */
export type ProfilerRequest = { readonly type: "start" } | { readonly type: "stop"; readonly folder: string };

/** Profiled server → parent, to each request. */
export type ProfilerAnswer = { readonly type: "done" } | { readonly type: "failed"; readonly message: string };
