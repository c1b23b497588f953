/** A product as the seed begins with it; `amount` is in cents of EUR. */
export interface CatalogItem {
  readonly id: string;
  readonly name: string;
  readonly category: string;
  readonly amount: number;
}

// Each product is its name and its price in cents. The first six belong to the seeded orders.
const shelves: readonly (readonly [category: string, products: string])[] = [
  ['coffee', 'Espresso Machine Lina 24900 | Burr Grinder Moka 8900'],
  ['kitchen', 'Enamel Kettle 1.2 l 3900 | Oak Cutting Board 4500 | Linen Apron 3200'],
  ['home', 'Wool Blanket Fjord 7900'],
  [
    'coffee',
    `Pour-Over Dripper Size 2 1900 | Paper Filters Pack of 100 690 | Gooseneck Kettle 0.8 l 5900 | French Press 1 l 3400 |
     Stovetop Pot 6 Cups 3600 | Milk Frother Handheld 1500 | Milk Pitcher 600 ml 2200 | Tamper 58 mm 2900 |
     Knock Box Beech 3300 | Coffee Scale with Timer 4900 | Cold Brew Bottle 1 l 2600 | Cupping Spoon Set of 4 2400 |
     House Espresso Beans 1 kg 2490 | Single Origin Ethiopia 250 g 1290 | Decaf Colombia 250 g 1190 |
     Espresso Cups Set of 4 2800 | Glass Server 600 ml 2300 | Descaler 500 ml 990`,
  ],
  [
    'kitchen',
    `Chef's Knife 20 cm 8900 | Bread Knife 24 cm 6400 | Paring Knife 9 cm 2900 | Whetstone 1000/6000 4200 |
     Cast Iron Pan 26 cm 5400 | Carbon Steel Wok 32 cm 4800 | Saucepan 2 l 5900 | Stockpot 8 l 8400 | Mortar and Pestle 3700 |
     Stoneware Mixing Bowl 2900 | Rolling Pin Maple 2100 | Loaf Tin 30 cm 1800 | Salad Spinner 2700 | Pepper Mill Walnut 3900 |
     Measuring Spoons Brass 1900 | Tea Towels Set of 3 2200 | Bread Bin Bamboo 4600`,
  ],
  [
    'home',
    `Linen Cushion Cover Sand 2400 | Down Cushion Insert 50 cm 1900 | Jute Rug 120 x 180 cm 11900 | Wall Clock Ash 5900 |
     Stoneware Vase Tall 4200 | Candle Holder Brass 2600 | Beeswax Candles Set of 4 1800 | Storage Basket Seagrass 3400 |
     Coat Rack Oak 6900 | Doormat Coir 2900 | Picture Frame A3 2700 | Mirror Round 60 cm 8900 | Side Table Birch 12900 |
     Stool Three-Legged 9900 | Magazine Rack Felt 3900 | Cotton Throw Check 4900 | Curtain Linen 140 x 250 cm 6900 |
     Bookends Marble 4400 | Incense Cedar 1200`,
  ],
  [
    'lighting',
    `Desk Lamp Arc 7900 | Pendant Lamp Paper 45 cm 4900 | Floor Lamp Tripod 15900 | Bedside Lamp Opal 6400 |
     Clip Lamp Workshop 3200 | Wall Lamp Swing Arm 8900 | Reading Lamp Battery 3900 | String Lights 10 m 2700 |
     Lantern Storm 3600 | LED Bulb E27 Warm 890 | LED Bulb E14 Warm 790 | Filament Bulb Globe 1290 | Lamp Shade Linen 30 cm 3400 |
     Ceiling Lamp Disc 9900 | Night Light Moon 1900 | Picture Light Brass 7400 | Work Light Rechargeable 4600 |
     Dimmer Plug 2200 | Lamp Cable Textile 3 m 1700 | Under-Shelf Light 60 cm 2900`,
  ],
  [
    'garden',
    `Hand Trowel Ash 1800 | Hand Fork Ash 1800 | Secateurs Forged 4900 | Watering Can 5 l 3900 | Garden Hose 20 m 4400 |
     Spray Nozzle Brass 1900 | Terracotta Pot 20 cm 1400 | Terracotta Pot 30 cm 2600 | Planter Zinc 40 cm 4200 |
     Seed Box Herbs 1600 | Seed Box Salads 1600 | Bulb Planter 2700 | Kneeling Pad Cork 2300 | Leaf Rake 3400 |
     Garden Gloves Goatskin 2400 | Twine Jute 100 m 890 | Plant Labels Copper Set of 20 1900 | Cold Frame Larch 11900 |
     Bird Feeder Cedar 2900 | Compost Bin 220 l 6900`,
  ],
  [
    'office',
    `Notebook A5 Dotted 1600 | Notebook A4 Lined 1900 | Fountain Pen Medium 5900 | Ink Bottle Midnight 50 ml 1800 |
     Mechanical Pencil 0.5 mm 1400 | Pencil Case Canvas 2200 | Desk Pad Felt 70 cm 3900 | Monitor Stand Oak 6900 |
     Laptop Stand Folding 4400 | Letter Tray Steel 2700 | Paper Scissors 21 cm 1900 | Stapler Classic 2400 |
     Tape Dispenser Cast 3100 | Wall Calendar 1800 | Weekly Planner Pad 1200 | Index Cards Pack of 100 690 |
     Cable Organiser Leather 1500 | Desk Organiser Birch 4900 | Document Box Linen 3300 | Waste Paper Basket 3600`,
  ],
  [
    'bath',
    `Bath Towel Waffle 70 x 140 cm 3400 | Hand Towel Waffle 1600 | Bath Mat Cork 4200 | Soap Dish Teak 1500 |
     Olive Oil Soap 100 g 690 | Soap Dispenser Glass 2200 | Toothbrush Tumbler Enamel 1200 | Shower Curtain Hemp 5900 |
     Bath Brush Beech 1900 | Natural Sponge 1400 | Razor Safety 4400 | Shaving Brush 3600 | Laundry Basket Rattan 7900 |
     Bathrobe Cotton M 8900 | Bathrobe Cotton L 8900 | Bath Salt Cedar 400 g 1800 | Hair Comb Horn 2400 |
     Toilet Brush Steel 3900 | Towel Rail Brass 60 cm 6400 | Washcloths Set of 4 1700`,
  ],
  [
    'outdoor',
    `Trail Backpack 28 l 12900 | Two-Person Tent Ridge 28900 | Sleeping Bag Autumn 15900 | Sleeping Mat Self-Inflating 8400 |
     Camp Stove Compact 5900 | Titanium Mug 450 ml 3400 | Insulated Bottle 0.75 l 3600 | Food Jar 0.5 l 3200 |
     Head Lamp 400 lm 4900 | Folding Knife Olive 4200 | First Aid Kit Hike 2900 | Dry Bag 10 l 1900 | Hammock Light 5400 |
     Trekking Poles Pair 7900 | Camp Chair Low 6400 | Picnic Blanket Waxed 5900 | Map Case 1800 | Compass Sighting 4600 |
     Fire Steel 1500 | Rain Poncho 4900`,
  ],
  [
    'bags',
    `Canvas Tote Natural 2400 | Leather Tote Cognac 18900 | Messenger Bag Waxed 13900 | Weekender Bag Olive 16900 |
     City Backpack 18 l 9900 | Laptop Sleeve 13 Inch 3900 | Laptop Sleeve 15 Inch 4200 | Wash Bag Waxed 4400 |
     Card Holder Leather 3400 | Wallet Bifold 5900 | Key Ring Brass 1400 | Packing Cubes Set of 3 3600 | Shoe Bag Cotton 1600 |
     Umbrella Stick 5400 | Umbrella Pocket 3900 | Belt Leather 3 cm 4900 | Luggage Tag Leather 1900 | Drawstring Bag 1800 |
     Bike Pannier 20 l 8900 | Handlebar Bag 5400`,
  ],
  [
    'toys',
    `Building Blocks Beech 50 Pieces 4900 | Wooden Train Set 5900 | Stacking Rings 2200 | Spinning Top 1400 |
     Marble Run Oak 6400 | Puzzle World Map 1000 Pieces 2700 | Puzzle Forest 500 Pieces 2100 | Memory Game Birds 1900 |
     Chess Set Travel 3600 | Dominoes Walnut 2900 | Playing Cards Linen 1200 | Yo-Yo Maple 1500 | Kite Diamond 2900 |
     Skipping Rope Cotton 1600 | Rag Doll Mina 3900 | Bear Mohair 5400 | Colouring Pencils Set of 24 2400 |
     Watercolours Set of 12 2600 | Modelling Clay 6 Colours 1700 | Music Box Crank 2300`,
  ],
];

/** The 200 products that every installation begins with, ids `1` to `200`. */
export const catalog: readonly CatalogItem[] = shelves
  .flatMap(([category, products]) => products.split('|').map((text) => ({ category, text: text.trim() })))
  .map(({ category, text }, index) => {
    const space = text.lastIndexOf(' ');
    return { id: String(index + 1), name: text.slice(0, space), category, amount: Number(text.slice(space + 1)) };
  });
