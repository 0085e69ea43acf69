export default defineEventHandler(async (event) => {
  const { name } = await readBody(event);
  const session = await sessionOf(event);
  if (/^\w{1,30}$/.test(name)) await session.update({ user: name });
  return sendRedirect(event, '/', 303);
});
