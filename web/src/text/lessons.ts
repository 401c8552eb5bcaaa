// Guided tours, from a single decision to a convolutional network. A lesson is data: pages of text, each with the
// settings that it shows (what is left out is as usual) and, often, something to guess before it is shown.

import type { Settings } from "../settings";

export interface Guess {
  question: string;
  answers: string[];
  right: number;
  because: string;
}

export interface Page {
  text: string[];
  settings?: Partial<Settings>;
  pace?: string;
  tab?: string;
  guess?: Guess;
}

export interface Lesson {
  id: string;
  title: string;
  pages: Page[];
}

const TICKETS: Partial<Settings> = { data: "tickets", layers: [], held_out: 0 };
const DONUT: Partial<Settings> = { data: "rings", noise: 0.1, samples: 400 };

export const LESSONS: Lesson[] = [
  {
    id: "ticket",
    title: "A decision: shall we go?",
    pages: [
      {
        text: [
          "Three yes/no facts decide whether we go to the concert: the ticket is cheap (weight 1), one is available (weight 6), we are interested (weight 3). We go where the weights of what is true add up to a threshold of 9.",
          "The table on the right shows all eight cases and the truth. The unit has not learned yet: its weights are all 0.",
        ],
        settings: {
          ...TICKETS,
          threshold: 9,
          loss: "perceptron",
          optimizer: "sgd",
          rate: 1,
          batch: 1,
          start: "zeros",
        },
        pace: "5",
        guess: {
          question: "In how many of the eight cases do we go?",
          answers: ["1", "2", "3"],
          right: 1,
          because: "Available and interested make 9, with a cheap ticket 10. Every other case stays below 9.",
        },
      },
      {
        text: [
          "Press Run. Whenever the unit is wrong about a case, the perceptron rule adds the case to the weights or takes it away from them; when it is right, nothing changes.",
        ],
        pace: "5",
        guess: {
          question: "Will it end with exactly the weights 1, 6 and 3?",
          answers: ["Yes, these are the right ones", "No, others decide the same"],
          right: 1,
          because:
            "Many weights decide the eight cases alike. The rule stops changing at the first ones that are right everywhere.",
        },
      },
      {
        text: [
          "Now the threshold is 7. Step through it again: one decision has changed, that for a cheap ticket which is available for a concert nobody is interested in.",
        ],
        settings: {
          ...TICKETS,
          threshold: 7,
          loss: "perceptron",
          optimizer: "sgd",
          rate: 1,
          batch: 1,
          start: "zeros",
        },
        pace: "5",
      },
    ],
  },
  {
    id: "line",
    title: "One unit draws one line",
    pages: [
      {
        text: [
          "Two features span a plane, and a unit with a sigmoid gives each point a probability. Where it is one half runs the boundary: w₁x₁ + w₂x₂ + b = 0.",
          "Two clouds of points, one unit, no hidden layer: logistic regression.",
        ],
        settings: {
          data: "blobs",
          classes: 2,
          noise: 0.4,
          layers: [],
          loss: "binary-cross-entropy",
          rate: 0.1,
        },
        guess: {
          question: "What form can the boundary have?",
          answers: ["Any curve", "A circle", "Only a straight line"],
          right: 2,
          because: "The score is a weighted sum, and a weighted sum is constant along straight lines.",
        },
      },
      {
        text: [
          "Press Run and watch the line turn. Then click on a line of the network on its left: its weight is the slope of the score in that direction.",
        ],
        tab: "walk",
      },
    ],
  },
  {
    id: "xor",
    title: "XOR: what one line cannot do",
    pages: [
      {
        text: [
          "Orange where both coordinates have the same sign, blue where they differ. The network is still one unit.",
        ],
        settings: { data: "xor", layers: [], rate: 0.1 },
        guess: {
          question: "What share of the points can one straight line get right?",
          answers: ["about 50 to 75 %", "about 90 %", "all"],
          right: 0,
          because:
            "A line can cut off one corner at best. Run it: the loss hardly leaves log 2 = 0.693, that of a coin toss.",
        },
      },
      {
        text: [
          "Now there is a hidden layer of four units. Each draws a line of its own, and the output combines them. Look at their pictures while they learn.",
        ],
        settings: { data: "xor", layers: ["4"], rate: 0.03 },
        guess: {
          question: "How many hidden units does XOR need at least?",
          answers: ["1", "2", "4"],
          right: 1,
          because:
            "Two lines mark off the band between two opposite corners. Take units away and see how often two succeed.",
        },
      },
    ],
  },
  {
    id: "donut",
    title: "The donut: a network finds its own features",
    pages: [
      {
        text: [
          "One ring inside another. A person would measure the distance from the middle and be done; logistic regression has only x₁ and x₂.",
        ],
        settings: { ...DONUT, layers: [], rate: 0.1 },
        guess: {
          question: "How well will it do?",
          answers: ["like a coin toss", "it gets the outer ring", "nearly perfectly"],
          right: 0,
          because: "Whatever the direction of the line, half of each ring lies on either side of it.",
        },
      },
      {
        text: [
          "With three hidden units, each still draws a straight line only. Run it, and look at the output.",
        ],
        settings: { ...DONUT, layers: ["3"], rate: 0.03 },
        guess: {
          question: "What will the orange region look like?",
          answers: ["a circle", "a rounded triangle", "a stripe"],
          right: 1,
          because: "Three lines close a triangle, the fewest that can. Add units, and it becomes rounder.",
        },
      },
    ],
  },
  {
    id: "forward",
    title: "Forward, by hand",
    pages: [
      {
        text: [
          "A small network, and one sample on its way through it. Each step below shows the formula with its own numbers, and every unit the number it gives.",
          "Go forward with ›, until the loss.",
        ],
        settings: { data: "xor", layers: ["2"], activation: "sigmoid", seed: 1 },
        tab: "walk",
        guess: {
          question: "A hidden sigmoid unit gets the sum 0. What does it give?",
          answers: ["0", "0.5", "1"],
          right: 1,
          because: "σ(0) = 1 / (1 + e⁰) = ½: it is undecided. With the sum 1 it would give 0.731.",
        },
      },
      {
        text: [
          "The loss is −log of the probability that the truth was given. Choose another point on the right and compare.",
        ],
        tab: "walk",
        guess: {
          question: "The network gives the true class a probability of 1. What is the loss?",
          answers: ["0", "1", "infinite"],
          right: 0,
          because: "−log 1 = 0. Were the probability close to 0, the loss would grow without bound.",
        },
      },
    ],
  },
  {
    id: "backward",
    title: "Backward: the chain rule",
    pages: [
      {
        text: [
          "The orange steps go back. The first is the simplest: for sigmoid with cross-entropy, the gradient at the score is p − t, the prediction less the truth.",
          "Then each layer passes on to the one before: multiplied by the weight on a line, and by the slope of the activation at a unit.",
        ],
        settings: { data: "xor", layers: ["3", "2"], seed: 2 },
        tab: "walk",
      },
      {
        text: [
          "Click on a line between the inputs and layer 1. A small change of that weight reaches the loss along several paths; each path multiplies the slopes along it, and all paths add up.",
        ],
        tab: "walk",
        guess: {
          question: "Layer 2 has two units. How many paths lead from one weight of layer 1 to the loss?",
          answers: ["1", "2", "6"],
          right: 1,
          because:
            "The weight feeds one unit of layer 1, from there a line leads to each of the two units of layer 2, and from each one line to the output.",
        },
      },
    ],
  },
  {
    id: "descent",
    title: "Down the slope: the learning rate",
    pages: [
      {
        text: [
          "Plain gradient descent: w ← w − η ∂L/∂w. Here the learning rate η is 0.0001. Run it at full speed for a while.",
        ],
        settings: { ...DONUT, layers: ["4"], optimizer: "sgd", rate: 0.0001 },
        pace: "200",
        guess: {
          question: "What will the loss do?",
          answers: ["fall quickly", "hardly move", "jump about"],
          right: 1,
          because: "Each step is the gradient times 0.0001. It would get there, after a very long time.",
        },
      },
      {
        text: ["Now η = 100."],
        settings: { ...DONUT, layers: ["4"], optimizer: "sgd", rate: 100 },
        pace: "30",
        guess: {
          question: "And now?",
          answers: ["It learns a million times faster", "The loss jumps about and stays high"],
          right: 1,
          because: "A step so long leaps over the valley to the other side, or far up the next slope.",
        },
      },
      {
        text: [
          "Something in between. After some hundred steps draw the loss surface: it shows the path that the weights took.",
        ],
        settings: { ...DONUT, layers: ["4"], optimizer: "sgd", rate: 0.3 },
        pace: "200",
        tab: "surface",
      },
    ],
  },
  {
    id: "sooner",
    title: "Update sooner rather than later",
    pages: [
      {
        text: [
          "All samples make one step here: the true slope of the whole training loss. That is full-batch descent; watch the loss curve at 30 steps a second.",
        ],
        settings: { ...DONUT, layers: ["6"], optimizer: "sgd", rate: 0.3, batch: 0 },
        pace: "30",
        guess: {
          question:
            "One pass over the data, once in one step, once in 28 steps of ten samples. Which gets further?",
          answers: ["one good step", "28 rough steps"],
          right: 1,
          because: "A rough direction 28 times is worth more than an exact one once. Go on, and see.",
        },
      },
      {
        text: ["Batches of ten. The curve trembles, and it is far ahead after the same number of epochs."],
        settings: { ...DONUT, layers: ["6"], optimizer: "sgd", rate: 0.3, batch: 10 },
        pace: "30",
      },
    ],
  },
  {
    id: "overfitting",
    title: "Overfitting: learned by heart",
    pages: [
      {
        text: [
          "Few samples, much noise, and a large network. The squares are samples that it never learns from: they test it.",
        ],
        settings: {
          data: "blobs",
          classes: 2,
          noise: 0.9,
          samples: 50,
          held_out: 0.5,
          layers: ["16", "16"],
          seed: 3,
        },
        pace: "200",
        guess: {
          question: "What will the test loss do, while the training loss falls to 0?",
          answers: ["fall with it", "fall, then rise", "stay as it is"],
          right: 1,
          because:
            "At first it learns what is true of all samples, then what is true of its own only. The shaded gap shows it.",
        },
      },
      {
        text: ["A penalty on large weights keeps the boundary smooth. Nothing else has changed."],
        settings: {
          data: "blobs",
          classes: 2,
          noise: 0.9,
          samples: 50,
          held_out: 0.5,
          layers: ["16", "16"],
          seed: 3,
          l2: 10,
        },
        pace: "200",
        guess: {
          question: "Which loss will now be higher than before?",
          answers: ["that of the training", "that of the test", "both"],
          right: 0,
          because:
            "It may no longer learn its own samples by heart. What it gives up there it wins on the others.",
        },
      },
    ],
  },
  {
    id: "activation",
    title: "Sigmoid, tanh, ReLU",
    pages: [
      {
        text: [
          "Hidden units without an activation: each is a weighted sum, and so is the output of them all.",
        ],
        settings: { ...DONUT, layers: ["8", "8"], activation: "none" },
        guess: {
          question: "Two hidden layers of eight units. What boundary can they draw?",
          answers: ["a circle", "a polygon", "still one straight line"],
          right: 2,
          because: "Weighted sums of weighted sums are weighted sums: without a bend, many layers are one.",
        },
      },
      {
        text: [
          "ReLU, max(0, x), bends once. Look at the edges in the picture of each unit, and at those in the answer.",
        ],
        settings: { ...DONUT, layers: ["8", "8"], activation: "relu", start: "he" },
      },
      {
        text: [
          "A curve over one feature shows it best: twelve ReLU units follow a sine with straight pieces. Then choose tanh on the left.",
        ],
        settings: { data: "sine", layers: ["12"], activation: "relu", start: "he", seed: 1 },
        pace: "200",
        guess: {
          question: "With tanh, what will the curve be made of?",
          answers: ["straight pieces", "smooth waves"],
          right: 1,
          because: "Sums of smooth steps are smooth. Each hidden unit's picture shows its own step.",
        },
      },
    ],
  },
  {
    id: "softmax",
    title: "Several classes: softmax",
    pages: [
      {
        text: [
          "Five clouds, and one output for each. Softmax turns five scores into five probabilities that add up to 1; the loss is −log of that of the true class.",
        ],
        settings: { data: "blobs", classes: 5, noise: 0.2, layers: [] },
        guess: {
          question: "Without a hidden layer, how does it divide the plane?",
          answers: ["into five sectors with straight borders", "into five circles", "it cannot"],
          right: 0,
          because: "Between any two classes the border is where their scores are equal: a straight line.",
        },
      },
      {
        text: [
          "Walk through a sample: the gradient at the scores is p − t, negative for the true class and positive for all others.",
        ],
        tab: "walk",
        settings: { data: "blobs", classes: 5, noise: 0.2, layers: [] },
        guess: {
          question: "What do the five numbers p − t add up to?",
          answers: ["0", "1", "it depends"],
          right: 0,
          because: "The p add up to 1 and so do the t. What one class gains the others lose.",
        },
      },
    ],
  },
  {
    id: "trouble",
    title: "Signs of trouble",
    pages: [
      {
        text: ["All first weights are 0 here. Run it for a while, pause, and look at the hidden units."],
        settings: { ...DONUT, layers: ["4"], start: "zeros" },
        pace: "200",
        guess: {
          question: "What will the four hidden units learn?",
          answers: ["four different lines", "all the same: nothing"],
          right: 1,
          because: "What starts alike gets the same gradient and stays alike. Weights must start at random.",
        },
      },
      {
        text: [
          "Here targets are numbers, the network has no activation and the rate is far too high. In a few steps the numbers leave what a computer can hold.",
        ],
        settings: { data: "hills", activation: "none", layers: ["4"], optimizer: "sgd", rate: 30 },
        pace: "30",
        guess: {
          question: "What should a library do then?",
          answers: ["go on multiplying NaNs", "stop, say where and why, keep the last good weights"],
          right: 1,
          because: "Run it. The remedy is offered as a button.",
        },
      },
      {
        text: ["One hidden layer of one unit on the spirals. Run it, then examine the training."],
        settings: { data: "spirals", layers: ["1"], noise: 0.05 },
        pace: "full",
        tab: "checkup",
      },
    ],
  },
  {
    id: "digits",
    title: "Reading digits",
    pages: [
      {
        text: [
          "1,437 handwritten digits of 8 × 8 pixels. Fifteen hidden units see all 64 pixels; each unit's picture shows its weights: blue pixels speak for it, orange ones against.",
        ],
        settings: { data: "digits", layers: ["15"], activation: "sigmoid" },
        pace: "200",
        guess: {
          question: "64 pixels, 15 hidden units, 10 outputs. How many numbers are learned?",
          answers: ["89", "960", "1,135"],
          right: 2,
          because: "64 · 15 weights and 15 biases, then 15 · 10 weights and 10 biases: 975 + 160.",
        },
      },
      {
        text: [
          "Train it, then draw a digit with the mouse. Which digits does it mix up? The gallery marks the wrong ones.",
        ],
      },
    ],
  },
  {
    id: "convolution",
    title: "A convolutional network",
    pages: [
      {
        text: [
          "A filter of 3 × 3 weights slides over the image and gives a picture of where its pattern is: a feature map. Four filters, then pooling, which keeps the largest of each four numbers, then the ten classes.",
          "The small square beside each map is its filter.",
        ],
        settings: { data: "digits", layers: ["c4", "p"], activation: "relu", start: "he" },
        pace: "200",
        guess: {
          question: "An image of 8 × 8 and a filter of 3 × 3: how large is the map?",
          answers: ["8 × 8", "6 × 6", "3 × 3"],
          right: 1,
          because: "The filter fits in 6 places along each side. Pooling makes 3 × 3 of it.",
        },
      },
      {
        text: [
          "Train it, and choose other digits on the right. Filters that find edges come up by themselves.",
        ],
        guess: {
          question: "How many numbers does a filter layer of four 3 × 3 filters have?",
          answers: ["40", "576", "2,304"],
          right: 0,
          because:
            "Four times nine weights and one bias, whatever the size of the image: the same filter is used everywhere.",
        },
      },
    ],
  },
];
