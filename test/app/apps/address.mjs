/** Says who asks, by a handler of loopool's own style. */
export const handlers = {
  "/": Object.assign(({ remoteAddress }) => ({ status: 200, headers: {}, body: remoteAddress }), { headers: "all" }),
};
