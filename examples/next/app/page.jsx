import { redirect } from 'next/navigation';
import { getServerSession } from 'next-auth';
import { authOptions } from './lib/auth.js';
import { enterLobby } from './lib/realtime.js';
import Lobby from './lobby.jsx';

export default async function Page() {
  const session = await getServerSession(authOptions);
  if (!session?.user?.name) redirect('/api/auth/signin?callbackUrl=/');
  const { name } = session.user;
  return <Lobby user={name} {...(await enterLobby(name))} />;
}
