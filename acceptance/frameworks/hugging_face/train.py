"""A script as users write it for SageMaker's Hugging Face image, on a model small enough to be made here: does a sentence praise or complain?"""
import argparse
import os

import torch
import transformers
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "the", "film", "was", "good", "great", "bad", "awful", "not"]
SENTENCES = [("the film was good", 1), ("a great film", 1), ("the film was bad", 0), ("an awful film", 0), ("awful", 0), ("great", 1)]

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=1)
    arguments = parser.parse_args()
    model_dir = os.environ["SM_MODEL_DIR"]
    torch.manual_seed(1)
    with open(os.path.join(model_dir, "vocab.txt"), "w") as file:
        file.write("\n".join(WORDS))
    tokenizer = BertTokenizerFast(vocab_file=os.path.join(model_dir, "vocab.txt"))
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        id2label={0: "COMPLAINT", 1: "PRAISE"},
        label2id={"COMPLAINT": 0, "PRAISE": 1},
    )
    model = BertForSequenceClassification(config)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    batch = tokenizer([text for text, _ in SENTENCES], padding=True, return_tensors="pt")
    labels = torch.tensor([label for _, label in SENTENCES])
    for _ in range(arguments.epochs):
        optimizer.zero_grad()
        loss = model(**batch, labels=labels).loss
        loss.backward()
        optimizer.step()
    print(f"transformers {transformers.__version__}: loss: {loss.item():.5f}")
    model.save_pretrained(model_dir)
    tokenizer.save_pretrained(model_dir)
