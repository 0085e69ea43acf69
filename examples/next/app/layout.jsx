export const metadata = { title: 'Lobby' };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body
        style={{ font: '16px/1.5 system-ui, sans-serif', maxWidth: '38rem', margin: '3rem auto', padding: '0 1rem' }}
      >
        {children}
      </body>
    </html>
  );
}
