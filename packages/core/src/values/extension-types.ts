/**
 * Every MessagePack extension type of protocol version 1. MessagePack carries nil, booleans, numbers, strings (`str`),
 * `Uint8Array` (`bin`), arrays and plain objects (`map` with string keys); what it lacks has a number here. 64-bit
 * integers (`d3`, `cf`) are always bigints. "Values" in a payload are ordinary MessagePack values, and a payload ends
 * exactly where its last value does.
 */

/** `fixext 1`: `00` is undefined, `01` is a hole and legal only as an element of an array. */
export const absentType = 0x00;
/** 1, 2 or 4 bytes, big-endian: the number of an object that came before, counted from 0 in the order of their beginnings. */
export const backReferenceType = 0x01;
/** Kind (`00` object, `01` function, `02` home, `03` result), id as LEB128 up to 2^53 - 1, then the name as UTF-8. */
export const referenceType = 0x02;
/** UTF-16 code units, big-endian: a string with lone surrogates. Legal as a key too. */
export const codeUnitsType = 0x03;
/** Sign (`00` or `01` for negative), then the magnitude, big-endian, at most 1 KiB: a bigint beyond 64 bits. */
export const bigintType = 0x04;
/** `fixext 8`: milliseconds since 1970 as float64, NaN for an invalid date. */
export const dateType = 0x05;
/** Three values: source (at most 65,536 characters), flags, lastIndex. */
export const regexpType = 0x06;
/** The address in its normal form, printable ASCII. */
export const urlType = 0x07;
/** A `map` whose keys are any values. */
export const mapType = 0x08;
/** An `array`. */
export const setType = 0x09;
/** A `map` with string keys: an object without a prototype. */
export const nullPrototypeType = 0x0a;
/**
 * Kind (`str`), a `map` of what is not enumerable (`message`, `name`, `cause`, `errors`, as far as they are there), a `map`
 * of the own enumerable properties. The kind is `Error` or the name of a built-in subclass.
 */
export const errorType = 0x0b;
/** The bytes of a Node `Buffer`. */
export const bufferType = 0x0c;
/** Element kind (binary.ts), then the bytes the view shows, little-endian: `ArrayBuffer`, `DataView` and typed arrays. */
export const viewType = 0x0d;
/** The number of a stream as LEB128: what iterates asynchronously, or a generator. */
export const iterableType = 0x11;
/** The same for a `ReadableStream`. */
export const readableType = 0x12;
/**
 * Kind (`00` aborted, `01` of the sender, `02` of the receiver), then the reason in an `array` of one, or the number of the
 * signal as LEB128.
 */
export const signalType = 0x13;

/** Two values: the name its class is registered under (`str`, 1 to 64 characters), and what it was packed into. */
export const packedType = 0x10;

/** `fixext 1`: what kind of binary (binary.ts) the next attachment is. Attachments stand in the order of these. */
export const attachmentType = 0x16;

// Reserved, refused until their features are negotiated: 0x14 shape definition · 0x15 object of a shape. 0x20 to 0x7f are
// free; negative types, the timestamp too, stay unused.
