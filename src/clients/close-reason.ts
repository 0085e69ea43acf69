/** Why a client's connection ended. */
export type CloseReason =
  | 'client'
  | 'slow'
  | 'stalled'
  | 'lifetime'
  | 'replaced'
  | 'shutdown'
  | 'disconnected'
  | 'interrupted';
