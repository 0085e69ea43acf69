/** Types that the stream and the browser client use themselves: an event of one of them would speak in their name. */
export const RESERVED_TYPES: ReadonlySet<string> = new Set([
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

/** Whether no event may have this type. SQL has the same list. */
export const isReservedType = (type: string): boolean => RESERVED_TYPES.has(type) || type.startsWith('djr:');
