export default defineEventHandler(async (event) => {
  const { user } = (await sessionOf(event)).data;
  return user ? { user, ...(await enterLobby(user)) } : {};
});
