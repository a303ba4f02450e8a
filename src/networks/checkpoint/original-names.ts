/**
 * Names of a denoiser's layers in the code that Stable Diffusion was first published with, which single-file checkpoints
 * use, and kohya's files of Stable Diffusion XL: its blocks stand in one row each (`input_blocks.4.1`, `middle_block.1`, `output_blocks.0.1`)
 * where diffusers' UNet2DConditionModel has levels (`down_blocks.1.attentions.0`).
 */

/** Layers outside the blocks. */
export const originalOutside: Readonly<Record<string, string>> = {
  conv_in: 'input_blocks.0.0',
  conv_norm_out: 'out.0',
  conv_out: 'out.2',
  'time_embedding.linear_1': 'time_embed.0',
  'time_embedding.linear_2': 'time_embed.2',
  'time_embedding.cond_proj': 'time_embed.cond_proj',
  'add_embedding.linear_1': 'label_emb.0.0',
  'add_embedding.linear_2': 'label_emb.0.2',
}
/** Layers of a residual block. */
const residual: Readonly<Record<string, string>> = {
  norm1: 'in_layers.0',
  conv1: 'in_layers.2',
  norm2: 'out_layers.0',
  conv2: 'out_layers.3',
  time_emb_proj: 'emb_layers.1',
  conv_shortcut: 'skip_connection',
}

/** `down_blocks.1.attentions.0` of `down_blocks.1.attentions.0.proj_in`. */
const inBlock = /^((?:(?:down|up)_blocks\.\d+|mid_block)\.\w+\.\d+)\.(.+)$/

/**
 * The original name of each layer that has one. How many levels and blocks there are is read off the names.
 * @param paths a UNet's layers in diffusers' names, without `unet.` and `.weight`
 */
export function originalNames(paths: readonly string[]): ReadonlyMap<string, string> {
  const rows = originalBlocks(
    new Set(paths.map((path) => inBlock.exec(path)?.[1]).filter((block) => block !== undefined)),
  )
  const names = new Map<string, string>()
  for (const path of paths) {
    const [, block, layer] = inBlock.exec(path) ?? []
    const original = block === undefined ? originalOutside[path] : layerOf(rows.get(block), block, layer)
    if (original !== undefined) names.set(path, original)
  }
  return names
}

function layerOf(row: string | undefined, block: string, layer: string): string | undefined {
  if (row === undefined) return undefined
  if (block.includes('.downsamplers.')) return `${row}.op`
  const own = block.includes('.resnets.') ? residual[layer] : layer
  return own === undefined ? undefined : `${row}.${own}`
}

/** diffusers' block → original block, counted in the order in which the original code makes them. */
function originalBlocks(blocks: ReadonlySet<string>): ReadonlyMap<string, string> {
  const rows = new Map<string, string>()
  let row = 1 // 0 is conv_in
  for (let level = 0; blocks.has(`down_blocks.${level}.resnets.0`); level++) {
    const down = `down_blocks.${level}`
    for (let i = 0; blocks.has(`${down}.resnets.${i}`); i++, row++) {
      rows.set(`${down}.resnets.${i}`, `input_blocks.${row}.0`)
      rows.set(`${down}.attentions.${i}`, `input_blocks.${row}.1`)
    }
    if (blocks.has(`${down}.downsamplers.0`)) rows.set(`${down}.downsamplers.0`, `input_blocks.${row++}.0`)
  }
  for (let i = 0; blocks.has(`mid_block.resnets.${i}`); i++) {
    rows.set(`mid_block.resnets.${i}`, `middle_block.${2 * i}`)
    rows.set(`mid_block.attentions.${i}`, `middle_block.${2 * i + 1}`)
  }
  row = 0
  for (let level = 0; blocks.has(`up_blocks.${level}.resnets.0`); level++) {
    const up = `up_blocks.${level}`
    for (let i = 0; blocks.has(`${up}.resnets.${i}`); i++, row++) {
      rows.set(`${up}.resnets.${i}`, `output_blocks.${row}.0`)
      rows.set(`${up}.attentions.${i}`, `output_blocks.${row}.1`)
    }
    // In the last block of its level, after what else is there.
    const place = blocks.has(`${up}.attentions.0`) ? 2 : 1
    rows.set(`${up}.upsamplers.0`, `output_blocks.${row - 1}.${place}`)
  }
  return rows
}
