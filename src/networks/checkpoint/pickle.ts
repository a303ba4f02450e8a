/** Pickles, the format of PyTorch's own checkpoints: refused, because reading one runs whatever code it holds. */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { FileError } from '../../errors.ts'
import type { WeightStem } from './weight-names.ts'

export const isPickle = (file: string) => /\.(bin|ckpt|pt|pth)$/i.test(file)

const runsCode = 'which runs any code that it holds when it is read'

/** The refusal of a single file that is a pickle. */
export function pickleFileError(file: string): FileError {
  return new FileError({
    where: file,
    expected: 'a .safetensors file, or a folder in diffusers’ layout with such files',
    received: `a pickle, ${runsCode}`,
    remedy: `take the safetensors variant of the checkpoint, or, where you trust the file, convert it: ${convertFile(file)}`,
  })
}

/** The refusal of a folder whose weights are pickles only. */
export function pickleFolderError(folder: string, stem: WeightStem, pickles: readonly string[]): FileError {
  return new FileError({
    where: folder,
    expected: `${stem}.safetensors`,
    received: `only ${pickles.join(', ')}: a pickle, ${runsCode}`,
    remedy: `take the safetensors variant of the checkpoint, or, where you trust the file, convert it: ${convertFolder(folder, stem)}`,
  })
}

/** The command that turns a single-file checkpoint into a folder. */
function convertFile(file: string): string {
  const folder = file.replace(/\.[^./\\]+$/, '')
  return python(
    'from diffusers import StableDiffusionPipeline as M',
    `M.from_single_file(${quoted(file)}).save_pretrained(${quoted(folder)}, safe_serialization=True)`,
  )
}

function convertFolder(folder: string, stem: WeightStem): string {
  const parent = dirname(resolve(folder))
  const [library, name, root] = existsSync(join(parent, 'model_index.json'))
    ? ['diffusers', 'DiffusionPipeline', parent]
    : [stem === 'model' ? 'transformers' : 'diffusers', 'AutoModel', folder]
  return python(
    `from ${library} import ${name} as M`,
    `M.from_pretrained(${quoted(root)}).save_pretrained(${quoted(`${root}-safetensors`)}, safe_serialization=True)`,
  )
}

/** The command that turns a pickle of named tensors into a safetensors file beside it; it reads nothing else of the pickle. */
export function convertTensors(file: string): string {
  const load = `torch.load(${quoted(file)}, map_location='cpu', weights_only=True)`
  const to = quoted(file.replace(/\.[^./\\]+$/, '.safetensors'))
  return python(
    'import torch',
    'from safetensors.torch import save_file',
    `save_file({k: v.contiguous().clone() for k, v in ${load}.items()}, ${to})`,
  )
}

/** A text of Python inside the quotes of a shell: what either of them would take for more than a letter is spelled by its code. */
function quoted(path: string): string {
  const code = (letter: string) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}`
  return `'${path.replace(/["'`$!\\]/g, code)}'`
}

const python = (...statements: string[]) => `python -c "${statements.join('; ')}"`
