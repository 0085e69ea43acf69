// #region mount
export default defineEventHandler(async (event) => {
  const { data } = await sessionOf(event);
  return realtime.handler(event.node.req, event.node.res, { userId: data.user });
});
// #endregion
