/** Rates as senders state them. */

/** 29.97 is 30000/1001, as television counts; anything else is as written, to the thousandth. */
export function rational(fps: number): { rateN: number; rateD: number } {
  const whole = Math.ceil(fps);
  const isTelevision = whole !== fps && Math.abs((whole * 1000) / 1001 - fps) < 0.005;
  if (isTelevision) return { rateN: whole * 1000, rateD: 1001 };
  return { rateN: Math.round(fps * 1000), rateD: 1000 };
}
