/** The line of the failure is this file's, not that of what a compiler makes of it. */
enum State {
  Broken = "no database",
}

throw new Error(State.Broken);
