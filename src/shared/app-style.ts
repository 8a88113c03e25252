/** What a user's module can be taken for: words of `--app-style`. src/app/recognise.ts says by what. */
export const appStyles = ["fetch", "node", "listen", "handlers"] as const;

export type AppStyle = (typeof appStyles)[number];
