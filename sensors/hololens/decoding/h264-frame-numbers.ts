/**
 * Whether an H.264 picture is missing between two others, by the numbers that they carry. FFmpeg makes
 * one up in its place and says so in its debug log alone; H.265's missing references are errors there.
 */
import { unitStarts } from "../wire/access-unit.ts";
import { type BitReader, createBitReader } from "./bit-reader.ts";

export interface FrameNumbers {
  /** Call it with each unit in turn, from one that stands alone. False: one before it is missing. */
  follows(unit: Uint8Array): boolean;
}

/** What of a sequence parameter set decides where a picture's number stands and what it means. */
interface Sequence {
  numberBits: number;
  /** The stream may leave numbers out by itself. */
  gapsAllowed: boolean;
  separatePlanes: boolean;
}

const units = { slice: 1, keySlice: 5, sequence: 7, picture: 8 };

export function createFrameNumbers(): FrameNumbers {
  const sequences = new Map<number, Sequence>();
  /** Picture parameter set to sequence parameter set. */
  const sequenceOf = new Map<number, number>();
  let previous: number | null = null;

  const followsSlice = (type: number, reader: BitReader): boolean => {
    reader.unsigned(); // first macroblock
    reader.unsigned(); // slice type
    const sequence = sequences.get(sequenceOf.get(reader.unsigned()) ?? -1);
    if (!sequence) return true; // the decoder says that itself
    if (sequence.separatePlanes) reader.bits(2);
    const number = reader.bits(sequence.numberBits);
    const before = previous;
    previous = number;
    if (type === units.keySlice || before === null || sequence.gapsAllowed) return true;
    return number === before || number === (before + 1) % 2 ** sequence.numberBits;
  };

  return {
    follows(unit) {
      for (const start of unitStarts(unit)) {
        const type = (unit[start] as number) & 0x1f;
        const reader = createBitReader(unit.subarray(start + 1, start + 1 + bytesOf(type)));
        if (type === units.sequence) {
          const [number, sequence] = readSequence(reader);
          sequences.set(number, sequence);
        } else if (type === units.picture) {
          sequenceOf.set(reader.unsigned() & 0xff, reader.unsigned());
        } else if (type >= units.slice && type <= units.keySlice) {
          return followsSlice(type, reader);
        }
      }
      return true;
    },
  };
}

/** Of a slice only the beginning is looked at. */
function bytesOf(type: number): number {
  return type === units.sequence ? 1024 : 32;
}

/** Profiles whose sequence parameter sets say more about colour. */
const highProfiles = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

function readSequence(reader: BitReader): [number, Sequence] {
  const profile = reader.bits(8);
  reader.bits(16); // constraints, level
  const number = reader.unsigned() & 0x1f;
  const separatePlanes = highProfiles.includes(profile) && skipColour(reader);
  const numberBits = Math.min(16, reader.unsigned() + 4);
  skipOrder(reader);
  reader.unsigned(); // reference pictures
  return [number, { numberBits, gapsAllowed: reader.bits(1) === 1, separatePlanes }];
}

function skipColour(reader: BitReader): boolean {
  const chroma = reader.unsigned();
  const separatePlanes = chroma === 3 && reader.bits(1) === 1;
  reader.unsigned(); // bit depths
  reader.unsigned();
  reader.bits(1);
  if (reader.bits(1) === 0) return separatePlanes;
  for (let i = 0; i < (chroma === 3 ? 12 : 8); i++) {
    if (reader.bits(1) === 1) skipScalingList(reader, i < 6 ? 16 : 64);
  }
  return separatePlanes;
}

function skipScalingList(reader: BitReader, size: number): void {
  let next = 8;
  for (let i = 0, last = 8; i < size && next !== 0; i++) {
    next = (last + reader.signed() + 256) % 256;
    if (next !== 0) last = next;
  }
}

/** How pictures are ordered for showing. */
function skipOrder(reader: BitReader): void {
  const kind = reader.unsigned();
  if (kind === 0) reader.unsigned();
  if (kind !== 1) return;
  reader.bits(1);
  reader.signed();
  reader.signed();
  const count = Math.min(255, reader.unsigned());
  for (let i = 0; i < count; i++) reader.signed();
}
