/** What streams of the applications wait for: /go opens it for all of them. */
let open: () => void;
let opened = new Promise<void>((resolve) => {
  open = resolve;
});

export async function untilGo(): Promise<void> {
  await opened;
}

export function go(): void {
  open();
  opened = new Promise<void>((resolve) => {
    open = resolve;
  });
}

/** How many clients went before their stream had ended. */
export const gone = { count: 0 };
