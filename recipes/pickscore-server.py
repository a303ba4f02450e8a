"""
PickScore (Kirstain et al. 2023) by transformers, as a reward over HTTP: `--reward http://127.0.0.1:8651/score`.
To serve a reward of your own, give `serve` another function from a PNG file and its prompt to a number.

    pip install torch transformers pillow
    python3 recipes/pickscore-server.py
"""
import base64, hashlib, io, json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer


def serve(info, score, port):
    class Handler(BaseHTTPRequestHandler):
        def answer(self, status, content):
            body = json.dumps(content, allow_nan=False).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self.answer(*((200, info) if self.path == "/info" else (404, {"error": "expected /info or /score"})))

        def do_POST(self):
            length = int(self.headers.get("content-length") or -1)
            if not 0 <= length <= 64_000_000:
                return self.answer(413, {"error": "expected at most 64 MB"})
            asked = json.loads(self.rfile.read(length))
            scores, errors = [], []
            for image, prompt in zip(asked["images"], asked["prompts"], strict=True):
                try:
                    number, error = float(score(base64.b64decode(image), prompt)), None
                except Exception as wrong:  # of this image: the others have their scores
                    number, error = None, str(wrong)
                scores.append(number)
                errors.append(error)
            self.answer(200, {"scores": scores, "errors": errors, "sha256": info["sha256"]})

    server = HTTPServer(("127.0.0.1", port), Handler)
    print(f"http://127.0.0.1:{server.server_port}/score", flush=True)
    server.serve_forever()


def pick_score(model_name, processor_name):
    import torch
    from PIL import Image
    from transformers import CLIPModel, CLIPProcessor

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = CLIPModel.from_pretrained(model_name).eval().to(device)
    processor = CLIPProcessor.from_pretrained(processor_name)
    weights = hashlib.sha256()
    for _, one in sorted(model.state_dict().items()):
        weights.update(one.cpu().numpy().tobytes())

    @torch.inference_mode()
    def score(png, prompt):  # exp(logit scale) · cos(image, text)
        image = Image.open(io.BytesIO(png), formats=["PNG"]).convert("RGB")
        inputs = processor(text=[prompt], images=[image], truncation=True, max_length=77, return_tensors="pt")
        return model(**inputs.to(device)).logits_per_image.item()

    return score, weights.hexdigest()


if __name__ == "__main__":
    names = ["yuvalkirstain/PickScore_v1", "laion/CLIP-ViT-H-14-laion2B-s32B-b79K", "8651"]
    model, processor, port = sys.argv[1:] + names[len(sys.argv) - 1 :]
    score, sha256 = pick_score(model, processor)
    serve({"name": model, "sha256": sha256, "comparable": "within a prompt"}, score, int(port))
