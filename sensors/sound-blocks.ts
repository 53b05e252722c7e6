/** Samples of any number in, blocks of one size out: planar, nothing lost, nothing made up. */

export interface Block {
  /** Channel by channel, `samples` each. Reused: copy it before the next is asked for. */
  data: Float32Array;
  samples: number;
  /** Number of its first sample, counted from the first that was pushed. */
  firstSample: number;
}

export interface SoundBlocks {
  /** `planes[channel]` holds at least `samples` values. */
  push(planes: Float32Array[], samples: number): Generator<Block>;
  /** What is left, as one shorter block. */
  flush(): Generator<Block>;
}

export function createSoundBlocks(channels: number, blockSamples: number): SoundBlocks {
  const filling = new Float32Array(channels * blockSamples);
  let filled = 0;
  let firstSample = 0;

  const finish = (): Block => {
    for (let channel = 1; filled < blockSamples && channel < channels; channel++) {
      const from = channel * blockSamples;
      filling.copyWithin(channel * filled, from, from + filled);
    }
    const block = { data: filling.subarray(0, channels * filled), samples: filled, firstSample };
    firstSample += filled;
    filled = 0;
    return block;
  };

  return {
    *push(planes, samples) {
      for (let taken = 0; taken < samples; ) {
        const count = Math.min(blockSamples - filled, samples - taken);
        for (let channel = 0; channel < channels; channel++) {
          const part = planes[channel]?.subarray(taken, taken + count);
          if (part) filling.set(part, channel * blockSamples + filled);
        }
        filled += count;
        taken += count;
        if (filled === blockSamples) yield finish();
      }
    },
    *flush() {
      if (filled > 0) yield finish();
    },
  };
}
