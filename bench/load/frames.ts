/**
 * Server-Sent Events as the load generator reads them: HTTP head, chunked encoding and frames, told apart byte by byte.
 * It keeps of each event's data only the numbers that the publisher put in, because a generator that builds
 * an object an event would be slower than what it measures.
 */

/** Frames of one read that carry an event. A read is at most {@link READ_BYTES}. */
export class Batch {
  length = 0;
  /** The event's number in its run. */
  readonly n = new Float64Array(MOST);
  /** Microseconds on the machine's clock at which it was to be published. */
  readonly t = new Float64Array(MOST);
  /** The user that it is for; -1: everyone. */
  readonly u = new Float64Array(MOST);

  add(n: number, t: number, u: number): void {
    this.n[this.length] = n;
    this.t[this.length] = t;
    this.u[this.length] = u;
    this.length += 1;
  }
}

/** What a socket reads at once, in bytes. */
export const READ_BYTES = 65_536;
// The smallest event is 24 bytes; what was left over from the read before may complete one more.
const MOST = READ_BYTES / 16;

const LF = 10;
const CR = 13;
const QUOTE = 34;
const COLON = 58;
const END_OF_FRAME = Buffer.from('\n\n');
const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** Reads one stream: feed it what the socket gives, get the events of it. */
export class FrameReader {
  /** Of the response, once its head is complete. */
  status = 0;
  /** Whether the stream has begun: the head and the first bytes after it are there. */
  begun = false;
  /** The last `id:` of the stream, where {@link keepId} is set: it costs a string an event. */
  lastId = '';
  keepId = false;
  /** Milliseconds after which the client is to come back, the last that the stream said, where {@link keepId} is set. */
  retry: number | undefined;
  private head = '';
  private chunked = false;
  /** Bytes left in the current chunk; -1: its size line is being read, -2: the CRLF after it. */
  private left = -1;
  private size = '';
  private carry: Buffer | undefined;

  read(bytes: Buffer, into: Batch): void {
    if (this.status === 0) {
      const rest = this.readHead(bytes);
      if (!rest) return;
      bytes = rest;
    }
    if (bytes.length > 0) this.begun = true;
    if (this.chunked) this.readChunks(bytes, into);
    else this.readBody(bytes, into);
  }

  private readHead(bytes: Buffer): Buffer | undefined {
    const before = Buffer.byteLength(this.head, 'latin1');
    const all = Buffer.concat([Buffer.from(this.head, 'latin1'), bytes]);
    const end = all.indexOf(END_OF_HEAD);
    this.head = all.toString('latin1', 0, end < 0 ? all.length : end);
    if (end < 0) return undefined;
    this.status = Number(this.head.slice(9, 12));
    this.chunked = /^transfer-encoding: *chunked/im.test(this.head);
    return bytes.subarray(end + 4 - before);
  }

  private readChunks(bytes: Buffer, into: Batch): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.left > 0) {
        const end = Math.min(bytes.length, at + this.left);
        this.readBody(bytes.subarray(at, end), into);
        this.left -= end - at;
        at = end;
        if (this.left === 0) this.left = -2;
        continue;
      }
      const byte = bytes[at]!;
      at += 1;
      if (this.left === -2) {
        if (byte === LF) this.left = -1;
      } else if (byte === LF) {
        this.left = Number.parseInt(this.size, 16) || -2;
        this.size = '';
      } else if (byte !== CR) {
        this.size += String.fromCharCode(byte);
      }
    }
  }

  private readBody(bytes: Buffer, into: Batch): void {
    if (this.carry) {
      bytes = Buffer.concat([this.carry, bytes]);
      this.carry = undefined;
    }
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(END_OF_FRAME, start);
      if (end < 0) break;
      if (this.keepId) this.keep(bytes.toString('latin1', start, end));
      readFrame(bytes, start, end, into);
      start = end + 2;
    }
    // A copy: the buffer is every socket's, and is written over by the next read.
    if (start < bytes.length) this.carry = Buffer.from(bytes.subarray(start));
  }

  /** What an EventSource would come back with after this frame, and when. */
  private keep(frame: string): void {
    this.lastId = /^id: ?(.*)$/m.exec(frame)?.[1] ?? this.lastId;
    const retry = /^retry: ?(\d+)$/m.exec(frame)?.[1];
    if (retry !== undefined) this.retry = Number(retry);
  }
}

/** Finds the data line of a frame, whatever lines come before it. */
function readFrame(bytes: Buffer, start: number, end: number, into: Batch): void {
  let line = start;
  while (line < end) {
    // "data:" is the only field that begins with these two.
    if (bytes[line] === 0x64 && bytes[line + 1] === 0x61) {
      readEvent(bytes, line + 5, end, into);
      return;
    }
    const next = bytes.indexOf(LF, line);
    if (next < 0 || next >= end) return;
    line = next + 1;
  }
}

/** The numbers `n`, `t` and, where there is one, `u` of a detail, in whatever order and spacing. */
export function readEvent(bytes: Buffer, start: number, end: number, into: Batch): void {
  let n = -1;
  let t = -1;
  let u = -1;
  let at = start;
  // The padding is the last of the publisher's keys and the longest: nothing of ours comes after it.
  while (at < end) {
    if (bytes[at] !== QUOTE || bytes[at + 2] !== QUOTE || bytes[at + 3] !== COLON) {
      if (bytes[at] === QUOTE && bytes[at + 1] === 0x70 && bytes[at + 2] === 0x61) break;
      at += 1;
      continue;
    }
    const key = bytes[at + 1];
    at += 4;
    while (bytes[at] === 32 || bytes[at] === QUOTE) at += 1;
    let number = 0;
    for (let digit = bytes[at]! - 48; digit >= 0 && digit <= 9; digit = bytes[at]! - 48) {
      number = number * 10 + digit;
      at += 1;
    }
    if (key === 0x6e) n = number;
    else if (key === 0x74) t = number;
    else if (key === 0x75) u = number;
  }
  if (n >= 0 && t >= 0) into.add(n, t, u);
}
