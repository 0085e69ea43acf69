/** Types that the stream and the browser client use for themselves. A page could not tell an event of such a type from their own. */
const RESERVED_TYPES: ReadonlySet<string> = new Set([
  'connected',
  'disconnected',
  'reset',
  'heartbeat',
  'state',
  'error',
  'left',
  'refused',
  'presence',
]);

/** Whether no event may have this type. The domain `djr.event_type` in SQL has the same list. */
export const isReservedType = (type: string): boolean => RESERVED_TYPES.has(type) || type.startsWith('djr:');
