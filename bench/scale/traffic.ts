/** What an iteration sends between processes, from the shapes of a model and the settings of a training. */

/** The part of a UNet's `config.json` that says where its attention stands, all lists by level. */
export interface AttentionLayout {
  readonly block_out_channels: readonly number[]
  readonly down_block_types: readonly string[]
  readonly up_block_types: readonly string[]
  readonly layers_per_block: number
  readonly transformer_layers_per_block?: number | readonly number[]
  readonly cross_attention_dim: number
}

/**
 * Numbers of the adapters of all attention: each of its eight projections a block (four among the states, four to the prompt)
 * from `i` to `o` channels has rank · (i + o).
 */
export function adapterNumbers(layout: AttentionLayout, rank: number): number {
  const { block_out_channels: widths, layers_per_block: layers, cross_attention_dim: context } = layout
  const depthOf = layout.transformer_layers_per_block ?? 1
  const depths = widths.map((_, level) => (typeof depthOf === 'number' ? depthOf : depthOf[level]))
  const hasAttention = (type: string) => type.startsWith('CrossAttn')
  const blocks = widths.map((_, level) => {
    const down = hasAttention(layout.down_block_types[level]) ? layers : 0
    const up = hasAttention(layout.up_block_types[widths.length - 1 - level]) ? layers + 1 : 0
    const middle = level === widths.length - 1 ? 1 : 0
    return depths[level] * (down + up + middle)
  })
  return widths.reduce((sum, width, level) => sum + blocks[level] * rank * (14 * width + 2 * context), 0)
}

export interface Training {
  /** Bytes of what is trained, as float32. */
  readonly gradientBytes: number
  readonly updates: number
  /** Roll-outs of an iteration; images of one, where there are none. */
  readonly rollouts: number
  readonly steps: number
  /** Bytes of a state x_t. */
  readonly stateBytes: number
  /** Transitions of an iteration that are trained on. */
  readonly transitions: number
  /** Numbers by which V reads a state; none without V. */
  readonly features: number
}

/** Bytes an iteration that one process of `count` receives. */
interface Traffic {
  /** A ring adds up and hands out: 2 (n − 1) / n of the gradients an update. */
  readonly gradients: number
  /** x_t, x_{t−1} and the mean of the old policy of those transitions in its share that others have drawn. */
  readonly transitions: number
  /** Of about ten states of each roll-out, for V, which every process learns. */
  readonly features: number
  /** What gathering all states and all noise would be in the place of the transitions. */
  readonly allStates: number
}

/** States of a roll-out that V is shown; see `mostObserved` of roll-outs. */
const shown = (steps: number) => Math.ceil(steps / Math.max(1, Math.floor(steps / 10)))

export function trafficOf(training: Training, count: number): Traffic {
  const { gradientBytes, updates, rollouts, steps, stateBytes, transitions, features } = training
  const others = (count - 1) / count
  return {
    gradients: updates * 2 * others * gradientBytes,
    transitions: (transitions / count) * others * 3 * stateBytes,
    features: rollouts * others * shown(steps) * features * 4,
    allStates: rollouts * others * 2 * (steps + 1) * stateBytes,
  }
}
