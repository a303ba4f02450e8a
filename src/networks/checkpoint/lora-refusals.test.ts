/** LoRA files that `readLora` refuses, and what it says. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { FileError, FormatError } from '../../errors.ts'
import { ones, tensor, zeros } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import { livingTensors, tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { ab, fileOf, folder, layer, out, pair, read } from './lora-file.test-helper.ts'

useThreads(1)

describe('refusing LoRA files', () => {
  const unet = `unet.${layer}`
  const metadata = (lora_adapter_metadata: string) => ({ lora_adapter_metadata })
  const kohya = (name: string) => pair(`${name}.lora_down.weight`, `${name}.lora_up.weight`)
  const cases: [
    what: string,
    message: RegExp,
    tensors: () => Record<string, Tensor>,
    header?: Record<string, string>,
  ][] = [
    [
      'a layer that the model does not have',
      /lora\.safetensors lora_unet_input_blocks_4_1_proj_in\.lora_down\.weight: expected a layer of tiny, received one that it does not have, of a LoRA for sdxl_base_v1-0 — /,
      () => kohya('lora_unet_input_blocks_4_1_proj_in'),
      { ss_base_model_version: 'sdxl_base_v1-0' },
    ],
    [
      'one layer too many',
      /mid_block\.x\.lora_A.*a layer of tiny.*it does not have —/,
      () => ({ ...ab(unet), ...ab('unet.mid_block.x') }),
    ],
    ['a table of embeddings', /token_embedding/, () => ab('text_encoder.text_model.embeddings.token_embedding')],
    ['another network', /a layer of tiny/, () => ab('vae.decoder.conv_in')],
    ['a network that only some keys name', /a layer of tiny/, () => ({ ...ab(unet), ...ab(out) })],
    [
      'shapes of another model',
      /to_q\.lora_A\.weight: expected \[rank, 6\] and \[4, rank\] for unet.*to_q\.weight of tiny, received \[2, 8\] and \[4, 2\]/,
      () => ({ ...ab(unet), [`${unet}.lora_A.weight`]: ones([2, 8]) }),
    ],
    [
      'factors of two ranks',
      /received \[3, 6\] and \[4, 2\]/,
      () => ({ ...ab(unet), [`${unet}.lora_A.weight`]: ones([3, 6]) }),
    ],
    ['a kernel of another size', /\[rank, 6, 3, 3\]/, () => ab('unet.down_blocks.0.resnets.0.conv1')],
    [
      'rank 0',
      /received \[0, 6\]/,
      () => ({ [`${unet}.lora_A.weight`]: zeros([0, 6]), [`${unet}.lora_B.weight`]: zeros([4, 0]) }),
    ],
    ['a number for a matrix', /received \[\]/, () => ({ ...ab(unet), [`${unet}.lora_A.weight`]: tensor([1], []) })],
    [
      'A without B',
      /lora_A\.weight: expected both factors.*received one —/,
      () => ({ [`${unet}.lora_A.weight`]: ones([2, 6]) }),
    ],
    [
      'B without A',
      /lora_B\.weight: expected both factors.*received one —/,
      () => ({ [`${unet}.lora_B.weight`]: ones([4, 2]) }),
    ],
    [
      'alpha alone',
      /alpha: expected both factors.*received neither —/,
      () => ({ ...ab(unet), [`unet.${out}.alpha`]: tensor([1], []) }),
    ],
    [
      'one layer twice',
      /expected one down of unet.*received two/,
      () => ({ ...ab(unet), [`${unet}.lora.down.weight`]: ones([2, 6]) }),
    ],
    [
      'NaN',
      /lora_B\.weight: expected finite numbers, received 1 that are not/,
      () => ({ ...ab(unet), [`${unet}.lora_B.weight`]: tensor([1, 2, 3, 4, 5, 6, 7, NaN], [4, 2]) }),
    ],
    ['an infinite alpha', /alpha: expected finite/, () => ({ ...ab(unet), [`${unet}.alpha`]: tensor([Infinity], []) })],
    [
      'two alphas',
      /alpha: expected one number, received shape \[2\]/,
      () => ({ ...ab(unet), [`${unet}.alpha`]: tensor([1, 1]) }),
    ],
    [
      'whole numbers',
      /lora_A\.weight: expected floating-point numbers, received int8/,
      () => ({ ...ab(unet), [`${unet}.lora_A.weight`]: zeros([2, 6], 'int8') }),
    ],
    [
      'DoRA of kohya',
      /to_q\.dora_scale: .*received DoRA, which is not supported/,
      () => ({ ...kohya('lora_unet_to_q'), 'lora_unet_to_q.dora_scale': ones([4]) }),
    ],
    ['DoRA of PEFT', /received DoRA,/, () => ({ ...ab(unet), [`${unet}.lora_magnitude_vector`]: ones([4]) })],
    [
      'DoRA by its metadata',
      /lora_adapter_metadata: expected plain LoRA, received DoRA/,
      () => ab(unet),
      metadata('{"unet.r": 2, "unet.use_dora": true}'),
    ],
    ['LoKr', /received LoKr,/, () => ({ 'lora_unet_to_q.lokr_w1': ones([2, 2]) })],
    ['LoHa', /received LoHa,/, () => ({ 'lora_unet_to_q.hada_w1_a': ones([2, 2]) })],
    [
      'a Tucker core',
      /received LoRA with a Tucker core,/,
      () => ({ ...kohya('lora_unet_conv'), 'lora_unet_conv.lora_mid.weight': ones([2, 2, 3, 3]) }),
    ],
    [
      'trained biases',
      /received LoRA with trained biases/,
      () => ({ ...ab(unet), [`${unet}.lora_B.bias`]: ones([4]) }),
    ],
    [
      'other tensors',
      /expected keys of a LoRA only, received learned_embeds/,
      () => ({ ...ab(unet), learned_embeds: ones([4]) }),
    ],
    ['two forms', /expected keys in the form of \w+ throughout/, () => ({ ...ab(unet), ...kohya('lora_unet_x') })],
    [
      'a whole checkpoint',
      /expected a LoRA, with keys such as .*, received conv_in\.weight, … — check/,
      () => ({ 'conv_in.weight': ones([1]), 'conv_out.weight': ones([1]) }),
    ],
    [
      'GLoRA',
      /received GLoRA,/,
      () => ({ 'lora_unet_x.a1.weight': ones([2, 2]), 'lora_unet_x.b1.weight': ones([2, 2]) }),
    ],
    ['(IA)³', /received \(IA\)³,/, () => ({ 'lora_unet_x.weight': ones([2]), 'lora_unet_x.on_input': ones([1]) })],
    [
      'words beside it',
      /clip_l: .*received LoRA with words learned by textual inversion, which/,
      () => ({ ...ab(unet), clip_l: ones([2, 6]) }),
    ],
    ['words alone', /received words learned by textual inversion — check/, () => ({ emb_params: ones([2, 6]) })],
    ['an autoencoder', /received an autoencoder alone — check/, () => ({ 'decoder.conv_in.weight': ones([1]) })],
    ['nothing', /received a file without tensors/, () => ({})],
    [
      'a rank that its metadata contradicts',
      /expected rank 4, as its configuration says, received 2/,
      () => ab(unet),
      metadata('{"unet.r": 4}'),
    ],
    ['metadata that is no JSON', /lora_adapter_metadata: expected JSON/, () => ab(unet), metadata('{')],
    ['metadata that is no object', /expected a JSON object/, () => ab(unet), metadata('[]')],
    [
      'metadata of a wrong type',
      /expected the fields of PEFT's LoraConfig, received unet\.r/,
      () => ab(unet),
      metadata('{"unet.r": "4"}'),
    ],
    [
      'a pattern that is none',
      /expected regular expressions.*"\("/,
      () => ab(unet),
      metadata('{"unet.rank_pattern": {"(": 4}}'),
    ],
    [
      'a file of PEFT without its configuration',
      /adapter_config\.json, in which PEFT keeps the alpha.*received no such file/,
      () => ab(`base_model.model.${layer}`),
    ],
  ]
  for (const [what, message, tensors, header] of cases) {
    it(`says what is wrong: ${what}`, () => {
      let file: string
      {
        using _scope = tensorScope()
        file = fileOf(tensors(), header)
      }
      const before = livingTensors()
      assert.throws(
        () => read(file),
        (error: Error) => {
          assert.ok(error instanceof FormatError, String(error))
          assert.match(error.message, message)
          assert.ok(error.message.startsWith(folder) && !error.message.includes('\n'), error.message)
          return true
        },
      )
      assert.equal(livingTensors(), before)
    })
  }

  it('refuses what is pickled, and what is not there', () => {
    const pickled = join(folder, 'pytorch_lora_weights.bin')
    writeFileSync(pickled, 'PK')
    assert.throws(() => read(pickled), { name: FileError.name, message: /a pickle, which runs any code/ })
    assert.throws(() => read(join(folder, 'missing.safetensors')), FileError)
    assert.throws(() => read(folder), FileError)
  })
})
