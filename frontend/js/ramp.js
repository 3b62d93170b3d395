/* How thick a wall is, as a color: from red through yellow to blue, told apart also by those who see no red or no green. */
export const RAMP = [[0.73, 0.1, 0.16], [0.93, 0.5, 0.2], [0.97, 0.85, 0.5], [0.45, 0.74, 0.74], [0.13, 0.36, 0.6]];
export const THINNEST = 0.3;
export const THICKEST = 3;

/* Share of the ramp for a thickness in mm; logarithmic, for half a millimeter matters at the thin end. */
export const share = (mm) => Math.min(1, Math.max(0, Math.log(mm / THINNEST) / Math.log(THICKEST / THINNEST)));

export function shade(part) {
  const at = Math.min(RAMP.length - 1.0001, Math.max(0, part * (RAMP.length - 1)));
  const low = Math.floor(at);
  return RAMP[low].map((value, i) => value + (RAMP[low + 1][i] - value) * (at - low));
}

/* The ramp as a picture for the legend. */
export function drawRamp(canvas) {
  const pen = canvas.getContext("2d");
  for (let x = 0; x < canvas.width; x += 1) {
    const tone = shade(x / (canvas.width - 1)).map((value) => Math.round(value * 255));
    pen.fillStyle = `rgb(${tone.join(" ")})`;
    pen.fillRect(x, 0, 1, canvas.height);
  }
}
