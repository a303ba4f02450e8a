/**
 * What an image looks like in numbers that no reward reads: a policy that found a hole in its reward shows in them, as
 * grids, noise, glaring colours, darkness, or one picture for every noise. Pure functions of pixels [B, 3, H, W] in [-1, 1] on the CPU.
 */
import { jpegSizes } from '../../images/jpeg-sizes.ts'
import { picturesOf } from '../../images/png.ts'
import { arange, tensor } from '../../tensor/create.ts'
import { averagePool } from '../../tensor/functional.ts'
import { operator, type Tensor } from '../../tensor/tensor.ts'

/** Of red, green and blue in the luma of ITU-R BT.601. */
const lumaWeights = [0.299, 0.587, 0.114]

/** Luma in [0, 1], [B, H, W]. */
function luma(pixels: Tensor): Tensor {
  const weights = tensor(lumaWeights, [1, 3, 1, 1])
  return pixels.add(1).mul(0.5).mul(weights).sum(1)
}

/** Mean luma of an image, from 0, black, to 1, white: [B]. */
export const brightness = (pixels: Tensor): Tensor => luma(pixels).mean([1, 2])

/** Luma below which a pixel is dark. */
const dark = 0.1

/** Share of the pixels of an image whose luma is below 0.1: [B]. */
export const darkShare = (pixels: Tensor): Tensor => luma(pixels).lt(dark).to('float32').mean([1, 2])

/**
 * Mean of max(R, G, B) − min(R, G, B), from 0, grey, to 1: [B]. It is the chroma of HSV, since the saturation of HSV divides
 * by the brightness and makes noise in the dark the most saturated thing there is.
 */
export function saturation(pixels: Tensor): Tensor {
  const least = pixels.neg().amax(1).neg()
  return pixels.amax(1).sub(least).mul(0.5).mean([1, 2])
}

/** Change of luma to the next pixel from which on there is an edge. */
const edge = 0.1

/** Share of the pixels of an image at which the luma changes by more than 0.1 to the next pixel (√(Δx² + Δy²)): [B]. */
export function edgeDensity(pixels: Tensor): Tensor {
  const [, , height, width] = pixels.shape
  const all = luma(pixels)
  const here = all.slice(1, 0, height - 1).slice(2, 0, width - 1)
  const right = all.slice(1, 0, height - 1).slice(2, 1, width)
  const below = all.slice(1, 1, height).slice(2, 0, width - 1)
  const squared = right.sub(here).square().add(below.sub(here).square())
  return squared
    .gt(edge ** 2)
    .to('float32')
    .mean([1, 2])
}

/** Levels that the entropy tells apart, of each colour. */
const levels = 8
const bincount = operator<[values: Tensor, weights: undefined, least: number], Tensor>('bincount')

/** Shannon entropy of the colours of an image, in 8 × 8 × 8 bins: [B], bits, from 0, one colour, to 9. */
export function colourEntropy(pixels: Tensor): Tensor {
  const [batch, , height, width] = pixels.shape
  const bins = levels ** 3
  const level = pixels
    .add(1)
    .mul(levels / 2)
    .to('int64')
    .clamp(0, levels - 1)
  const places = tensor([levels ** 2, levels, 1], [1, 3, 1, 1], 'int64')
  const offsets = arange(0, batch).mul(bins).reshape(batch, 1, 1)
  const counts = bincount(level.mul(places).sum(1).add(offsets).reshape(-1), undefined, batch * bins)
  const shares = counts
    .to('float32')
    .div(height * width)
    .reshape(batch, bins)
  // p log p is 0 where p is 0.
  return shares
    .mul(shares.clamp(1e-12).log())
    .sum(1)
    .mul(-1 / Math.LN2)
}

/** Waves across the shorter side from which on a pattern is a pattern, and no object of the picture. */
const slowest = 4
/** Power of the rounding to 8 bits, as a variance of the luma: no pattern is seen in what a file cannot hold. */
const roundingPower = (1 / 255) ** 2

/**
 * How much of all change in an image lies in one wave: the share of the strongest frequency in the power of the gradient,
 * max_f |f|² P(f) / Σ_f |f|² P(f), over frequencies of at least 4 waves across the shorter side. P is the power spectrum of
 * the luma under a Hann window; a frequency and its negative count as one. A grid has a few tenths, a photograph, whose
 * P falls with |f|², some hundredths or less.
 *
 * @returns [B], from 0 to 1
 */
export function spectralPeak(pixels: Tensor): Tensor {
  const [batch, , height, width] = pixels.shape
  const window = hann(height).reshape(height, 1).mul(hann(width).reshape(1, width))
  const all = luma(pixels)
  const wave = all.sub(all.mean([1, 2], true)).mul(window)
  const [rows, columns] = [fourier(height), fourier(width)]
  // F = R X C of both parts: (c − i s) X (c − i s).
  const [left, leftSine] = [rows.cosine.matmul(wave), rows.sine.matmul(wave)]
  const real = left.matmul(columns.cosine).sub(leftSine.matmul(columns.sine))
  const imaginary = left.matmul(columns.sine).add(leftSine.matmul(columns.cosine))
  const squared = squaredFrequencies(height, width)
  const least = (slowest / Math.min(height, width)) ** 2
  const weight = tensor(
    squared.map((one) => (one < least ? 0 : one)),
    [1, height, width],
  )
  const power = real.square().add(imaginary.square()).mul(weight)
  // Images of a few pixels have no such frequency.
  const floor = Math.max(1e-12, roundingPower * window.square().sum().item() * weight.sum().item())
  return power
    .reshape(batch, height * width)
    .amax(1)
    .mul(2)
    .div(power.sum([1, 2]).add(floor))
}

const hann = (length: number) =>
  tensor(Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / length)))

/** Of the discrete Fourier transform, [n, n] each. */
function fourier(length: number) {
  const angles = Array.from({ length: length * length }, (_, i) => {
    const [k, x] = [Math.floor(i / length), i % length]
    return (2 * Math.PI * ((k * x) % length)) / length
  })
  const of = (wave: (angle: number) => number) => tensor(angles.map(wave), [length, length])
  return { cosine: of(Math.cos), sine: of(Math.sin) }
}

/** |f|² in squared waves a pixel, as the transform has its frequencies: H · W numbers. */
function squaredFrequencies(height: number, width: number): number[] {
  const of = (place: number, length: number) => Math.min(place, length - place) / length
  return Array.from(
    { length: height * width },
    (_, i) => of(Math.floor(i / width), height) ** 2 + of(i % width, width) ** 2,
  )
}

/** Side to which images are made small before they are compared. */
const comparedSide = 32

/**
 * Distance between the images of a pair, made small to at most 32 × 32 pixels by means over areas: the root mean square of
 * their differences, from 0, the same image, to 1, black and white.
 *
 * @param pixels [2 N, 3, H, W]: each two in a row are a pair
 * @returns      [N]
 */
export function pairDistance(pixels: Tensor): Tensor {
  const [count, , height, width] = pixels.shape
  const small = averagePool(pixels, Math.min(height, comparedSide), Math.min(width, comparedSide)).mul(0.5)
  const pairs = small.reshape(count / 2, 2, small.numel / count)
  return pairs.select(1, 0).sub(pairs.select(1, 1)).square().mean(1).sqrt()
}

/** Size of an image as a JPEG file of quality 95: [B], bits a pixel. What is not smooth takes many. */
export function jpegSize(pixels: Tensor): Tensor {
  const [, , height, width] = pixels.shape
  return tensor(jpegSizes(picturesOf(pixels)).map((bytes) => (8 * bytes) / (height * width)))
}
