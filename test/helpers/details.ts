const nested = (open: string, close: string, levels: number) => `${open.repeat(levels)}1${close.repeat(levels)}`;

/** Details that PostgreSQL takes and that something on the way could stumble over, as JSON. */
export const HARD_DETAILS: readonly string[] = [
  // As deep as 8 kB allow.
  `{"deep": ${nested('[', ']', 3900)}}`,
  `{"deep": ${nested('{"a": ', '}', 1100)}}`,
  '{"huge": 1e400, "small": -1e400, "tiny": 1e-400, "long": 123456789012345678901234567890.5, "exact": 9007199254740993}',
  '{"__proto__": {"admin": true}, "constructor": {"prototype": {"admin": true}}, "hasOwnProperty": null, "then": 1}',
  '{"a": {"__proto__": [1]}, "toJSON": "x", "length": -1, "valueOf": {}}',
  '{"raw": "\u2028 and \u2029, \u0085, \ufeff, \u00a0, \uffff", "escaped": "\\u2028 and \\u2029, \\u0085, \\ufeff"}',
  `{"control": "${Array.from({ length: 31 }, (_, n) => `\\u00${(n + 1).toString(16).padStart(2, '0')}`).join('')}\u007f"}`,
  '{"emoji": "👩‍👩‍👧‍👦 \\ud83d\\ude00", "mark": "e\\u0301", "right to left": "\u202eabc"}',
  '{"doubled": 1, "doubled": {"last": true}, "type": 1, "type": "not mine"}',
  '{":id": 5, "": "no name", " ": {"": []}, "a\\tb\\nc": "\\"\\\\/"}',
  '{"frame": "x\\n\\nid: 9-x\\ndata: {}\\n\\n", "event": "retry: 1", "line": "\\r"}',
];
