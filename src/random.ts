/**
 * Random numbers outside the tensor library, addressed by a path of numbers: the stream of (seed, 3, 17) does not
 * depend on what else was drawn before it, in which process, or in which batch.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'

/** A stream of random numbers. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number
  /** Uniform integer in [low, high], both included. */
  integer(low: number, high: number): number
  /** Standard normal. */
  normal(): number
  /** One element, each equally likely. */
  pick<T>(from: readonly T[]): T
  /** A shuffled copy. */
  shuffle<T>(from: readonly T[]): T[]
  /** How far it has come, for {@link randomFrom}; survives JSON. */
  state(): readonly number[]
}

/** Mixes a path of integers into one 53-bit seed (splitmix-style avalanche on each component). */
export function seedOf(...path: readonly number[]): number {
  let low = 0x9e3779b9
  let high = 0x85ebca6b
  for (const part of path) {
    for (const word of [(part % 0x100000000) | 0, Math.floor(part / 0x100000000) | 0]) {
      low = Math.imul(low ^ word, 0x21f0aaad)
      low = Math.imul(low ^ (low >>> 15) ^ high, 0x735a2d97)
      high = Math.imul(high ^ (low >>> 13) ^ word, 0xc2b2ae35)
      high ^= high >>> 16
    }
  }
  return (high >>> 11) * 0x100000000 + (low >>> 0)
}

/** A place in a path for a stream that is known by its name. */
export function streamOf(name: string): number {
  return seedOf(...Array.from(name, (letter) => letter.codePointAt(0)!))
}

/** The stream at a path; equal paths give equal streams. */
export function random(...path: readonly number[]): Random {
  const seed = seedOf(...path)
  return streamBy(xoroshiro128plus(((seed % 0x100000000) | 0) ^ (Math.floor(seed / 0x100000000) | 0)))
}

/** The stream that goes on where one has come to. */
export function randomFrom(state: readonly number[]): Random {
  return streamBy(xoroshiro128plusFromState(state.slice(0, generatorNumbers)), state.at(generatorNumbers))
}
/** Of the state of the generator. */
const generatorNumbers = 4

/** @param spare the second one of two normal numbers, which are made together */
function streamBy(generator: ReturnType<typeof xoroshiro128plus>, spare?: number): Random {
  const stream: Random = {
    uniform: () => uniformFloat64(generator),
    integer: (low, high) => uniformInt(generator, low, high),
    normal() {
      if (spare !== undefined) {
        const value = spare
        spare = undefined
        return value
      }
      const radius = Math.sqrt(-2 * Math.log(1 - stream.uniform()))
      const angle = 2 * Math.PI * stream.uniform()
      spare = radius * Math.sin(angle)
      return radius * Math.cos(angle)
    },
    pick: (from) => from[stream.integer(0, from.length - 1)],
    shuffle(from) {
      const copy = [...from]
      for (let i = copy.length - 1; i > 0; i--) {
        const j = stream.integer(0, i)
        ;[copy[i], copy[j]] = [copy[j], copy[i]]
      }
      return copy
    },
    state: () => [...generator.getState(), ...(spare === undefined ? [] : [spare])],
  }
  return stream
}
