"""Mission D3: a sigmoid with one output is a softmax with two outputs, w = w₁ − w₀.

You see both predict the same, and learn the same too: in the softmax both columns move, so w₁ − w₀ moves twice as fast,
and half the learning rate keeps the two together all the way.
"""

import numpy as np

import chainrule as cr


def main() -> None:
    x, labels = cr.data.make_xor(samples=200, seed=0)
    labels = x.sum(axis=1) > 0.3  # a question that a straight line can answer
    two = cr.Network([cr.Linear(2)], loss=cr.CrossEntropy(), dtype="float64").build((2,))
    one = cr.Network([cr.Linear(1)], loss=cr.BinaryCrossEntropy(), dtype="float64").build((2,))
    for name, w in two.parameters.items():
        one.parameters[name][...] = (w[..., 1] - w[..., 0])[..., None]  # w = w₁ − w₀, and the biases alike

    print("steps   softmax p(1), first 4    sigmoid p, first 4       largest gap   accuracy")
    for steps in (0, 10, 100, 1000):
        if steps:
            settings = {"epochs": steps, "batch_size": None, "progress": False}
            cr.train(two, (x, labels), optimizer=cr.SGD(0.5), **settings)
            cr.train(one, (x, labels), optimizer=cr.SGD(1.0), **settings)
        p_two, p_one = two.predict(x)[:, 1], one.predict(x)[:, 0]
        gap = np.abs(p_two - p_one).max()
        accuracy = one.evaluate(x, labels)["accuracy"]
        print(f"{steps:5}  ", *p_two[:4].round(3), " ", *p_one[:4].round(3), f"   {gap:.0e}   {accuracy:12.1%}")


if __name__ == "__main__":
    main()
