'use client';

import { connect } from 'djr/browser';
import { useRouter } from 'next/navigation';
import { useEffect, useRef } from 'react';

/** Renders nothing: asks the server for the page anew when one of these events comes. */
export default function Live({ since, types }) {
  const router = useRouter();
  // Where the page was first read: a new page does not begin its stream anew.
  const start = useRef({ since, types });

  useEffect(() => {
    const { since, types } = start.current;
    const refresh = () => router.refresh();
    const names = [...types, 'reset'].map((type) => `djr:${type}`);
    for (const name of names) addEventListener(name, refresh);
    const connection = connect({ endpoint: '/realtime/sse/', since });
    return () => {
      connection.close();
      for (const name of names) removeEventListener(name, refresh);
    };
  }, [router]);
  return null;
}
