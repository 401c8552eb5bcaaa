"""Mission D15: word vectors by skip-gram with negative sampling: king − man + woman ≈ queen.

Every word v gets a vector; a pair of words that stand near each other in a text shall have a large dot product, a pair
drawn at random a small one (Mikolov et al. 2013). You see a text of simple sentences, made here, the words nearest to a
word, and analogies answered by adding and subtracting vectors.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import chainrule as cr
from chainrule.layers import Context, Gradients, Layer, Saved

PEOPLE = {  # each word with what is said of it
    "man": "male common grown", "woman": "female common grown", "boy": "male common young",
    "girl": "female common young", "king": "male royal grown", "queen": "female royal grown",
    "prince": "male royal young", "princess": "female royal young",
}  # fmt: skip
PLACES = {
    "paris": "city french", "france": "country french", "rome": "city italian", "italy": "country italian",
    "tokyo": "city japanese", "japan": "country japanese", "cairo": "city egyptian", "egypt": "country egyptian",
}  # fmt: skip
SENTENCES = {
    "male": ["the {} shaved his beard", "he himself was the {}", "the {} buttoned his waistcoat"],
    "female": ["the {} braided her hair", "she herself was the {}", "the {} sewed her skirt"],
    "royal": ["the {} sat on the throne", "the {} wore a crown", "the {} lived in the palace"],
    "common": ["the {} worked in the field", "the {} carried a basket", "the {} lived in the village"],
    "grown": ["the {} signed the contract", "the {} remembered the war", "the {} had grey temples"],
    "young": ["the {} went to school", "the {} played with a toy", "the {} lost a milk tooth"],
    "city": ["the streets of {}", "the mayor of {}", "the trams of {}"],
    "country": ["the border of {}", "the army of {}", "the provinces of {}"],
    "french": ["in {} they baked baguettes", "in {} they drank champagne", "in {} they spoke french"],
    "italian": ["in {} they cooked pasta", "in {} they sang operas", "in {} they spoke italian"],
    "japanese": ["in {} they rolled sushi", "in {} they folded kimonos", "in {} they spoke japanese"],
    "egyptian": ["in {} they sailed the nile", "in {} they built pyramids", "in {} they spoke arabic"],
}
PAIRS = (
    [("man", "woman"), ("boy", "girl"), ("king", "queen"), ("prince", "princess")],
    [("man", "king"), ("woman", "queen"), ("boy", "prince"), ("girl", "princess")],
    [("boy", "man"), ("girl", "woman"), ("prince", "king"), ("princess", "queen")],
    [("paris", "france"), ("rome", "italy"), ("tokyo", "japan"), ("cairo", "egypt")],
)
FEATURES = 16
WINDOW = 4  # words to either side that count as near
NEGATIVES = 5  # pairs drawn at random for each pair from the text
Vectors = dict[str, NDArray]


@dataclass(eq=False)
class DotProduct(Layer):
    """y = u · v: from two vectors (2, I) to one number (1,)."""

    def build(self, input_shape: tuple[int, ...], rng: np.random.Generator | None) -> tuple[int, ...]:
        return (1,)

    def forward(self, x: NDArray, context: Context) -> tuple[NDArray, Saved]:
        return (x[:, 0] * x[:, 1]).sum(axis=1, keepdims=True), (x,)

    def backward(self, dy: NDArray, saved: Saved) -> tuple[NDArray, Gradients]:
        (x,) = saved
        return dy[:, :, None] * x[:, ::-1], {}  # ∂y/∂u = v, ∂y/∂v = u


def made_text(sentences: int = 4000, seed: int = 0) -> list[list[str]]:
    """Sentences, each about one word, as lists of words."""
    rng, words = np.random.default_rng(seed), {**PEOPLE, **PLACES}
    text = []
    for word in rng.choice(list(words), sentences):
        said = rng.choice(words[word].split())
        text.append(str(rng.choice(SENTENCES[said])).format(word).split())
    return text


def near_pairs(text: list[list[str]], number: dict[str, int]) -> NDArray:
    """(N, 2): each word, and each of those near it."""
    return np.array([
        (number[word], number[sentence[j]])
        for sentence in text
        for i, word in enumerate(sentence)
        for j in range(max(0, i - WINDOW), min(len(sentence), i + WINDOW + 1))
        if i != j
    ])  # fmt: skip


def learned(text: list[list[str]], epochs: int = 12, seed: int = 0) -> Vectors:
    """A vector for each word of a text."""
    words = sorted({word for sentence in text for word in sentence})
    number = {word: i for i, word in enumerate(words)}
    near, rng = near_pairs(text, number), np.random.default_rng(seed)
    often = np.bincount(near[:, 1], minlength=len(words)) ** 0.75  # rare words are drawn a little more than they occur
    # One table for both roles of a word: in the middle, and (further down) nearby.
    network = cr.Network(
        [cr.Embedding(2 * len(words), FEATURES, cr.Normal(0, 0.1)), DotProduct()],
        loss=cr.BinaryCrossEntropy(),
        seed=seed,
    )
    for epoch in range(epochs):  # each with other negatives
        drawn = rng.choice(len(words), NEGATIVES * len(near), p=often / often.sum())
        middle, other = np.tile(near[:, 0], 1 + NEGATIVES), np.concatenate([near[:, 1], drawn])
        pairs = np.stack([middle, other + len(words)], axis=1)
        is_near = np.repeat([1, 0], [len(near), len(drawn)])
        cr.train(
            network, (pairs, is_near), epochs=1, batch_size=512, optimizer=cr.Adam(0.01), seed=epoch, progress=False
        )
    table = network.parameters["layers.0.W"][: len(words)]
    return dict(zip(words, table / np.linalg.norm(table, axis=1, keepdims=True), strict=True))


def nearest(vectors: Vectors, target: NDArray, *, but: tuple[str, ...]) -> list[str]:
    """The other words, those with the smallest angle to `target` first."""
    return sorted(vectors.keys() - set(but), key=lambda word: -float(vectors[word] @ target))


def analogy(vectors: Vectors, a: str, b: str, c: str) -> str:
    """a is to b as c is to …: the word nearest to b − a + c."""
    return nearest(vectors, vectors[b] - vectors[a] + vectors[c], but=(a, b, c))[0]


def questions() -> list[tuple[str, str, str, str]]:
    """(a, b, c, d): a is to b as c is to d."""
    return [(*one, *other) for pairs in PAIRS for one in pairs for other in pairs if one != other]


def main() -> None:
    text = made_text()
    print(f"{len(text)} sentences, such as:")
    for sentence in text[:4]:
        print("  " + " ".join(sentence))
    vectors = learned(text)
    print(f"\n{len(vectors)} words; nearest to")
    for word in ("queen", "boy", "tokyo", "throne"):
        print(f"  {word + ':':8}", ", ".join(nearest(vectors, vectors[word], but=(word,))[:4]))
    print()
    for a, b, c in (("man", "king", "woman"), ("boy", "man", "princess"), ("france", "paris", "egypt")):
        print(f"{b} − {a} + {c} ≈ {analogy(vectors, a, b, c)}")
    right = sum(analogy(vectors, a, b, c) == d for a, b, c, d in questions())
    print(f"\n{right} of {len(questions())} such questions answered right")


if __name__ == "__main__":
    main()
