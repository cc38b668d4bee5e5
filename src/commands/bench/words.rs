//! Names, places and texts for made-up referrals. Postcodes are of the area ZZ99 and telephone numbers of the ranges kept
//! for drama, which belong to nobody.

pub(super) const FAMILIES: &[&str] = &[
    "Smith",
    "Jones",
    "Taylor",
    "Brown",
    "Williams",
    "Wilson",
    "Johnson",
    "Davies",
    "Patel",
    "Robinson",
    "Wright",
    "Thompson",
    "Evans",
    "Walker",
    "White",
    "Roberts",
    "Green",
    "Hall",
    "Wood",
    "Jackson",
    "Clarke",
    "Khan",
    "Hughes",
    "Edwards",
    "Hill",
    "Moore",
    "Begum",
    "Harris",
    "Ward",
    "Cooper",
    "Ali",
    "Turner",
    "Morris",
    "Ahmed",
    "Baker",
    "Kelly",
    "Singh",
    "Murphy",
    "Okafor",
    "Kowalski",
    "O'Brien",
    "Adeyemi",
    "Fernández",
    "Müller",
    "Novák",
    "Hussain",
    "Ellis",
    "Bailey",
    "Shah",
    "Marshall",
    "Fletcher",
    "Thistlewood",
    "Castle",
    "Appleby",
    "Ellery",
    "Penhaligon",
];

pub(super) const WOMEN: &[&str] = &[
    "Margaret", "Susan", "Patricia", "Jean", "Fatima", "Joan", "Zoë", "Amina", "Dorothy", "Sarah", "Priya", "Chloe",
    "Grace", "Ngozi", "Anna", "Mary", "Linda", "Sheila", "Olivia", "Aisha", "Ada", "Morag", "Ruth", "Hannah",
];

pub(super) const MEN: &[&str] = &[
    "John", "David", "Michael", "Peter", "Mohammed", "Brian", "Kenneth", "José", "Arthur", "Imran", "Thomas", "Oliver",
    "George", "Chidi", "Paul", "James", "Alan", "Derek", "Harry", "Yusuf", "Bashir", "Sol", "Colin", "Samuel",
];

pub(super) const TOWNS: &[&str] = &[
    "Thornby",
    "Millbrook",
    "Ashford Vale",
    "Kirkdale",
    "Netherton",
    "Fellside",
    "Harbourne",
    "Westmere",
    "Oakhampton",
    "Saltwick",
    "Brackley Moor",
    "Elmstead",
];

pub(super) const STREETS: &[&str] = &[
    "Mill Lane",
    "Church Road",
    "High Street",
    "Station Road",
    "Park Avenue",
    "Victoria Terrace",
    "Chapel Street",
    "Orchard Close",
    "The Crescent",
    "Bridge Street",
    "Albert Road",
    "Meadow Way",
];

pub(super) const SURGERY_KINDS: &[&str] = &["Surgery", "Medical Centre", "Health Centre", "Family Practice"];

pub(super) const PROVIDER_KINDS: &[&str] = &[
    "Walking Group",
    "Community Garden",
    "Befriending",
    "Debt Advice",
    "Lunch Club",
    "Choir",
    "Men's Shed",
    "Arts on Prescription",
    "Carers' Circle",
    "Swimming for All",
    "Allotment Society",
    "Reading Friends",
];

/// Reasons for referral as people write them.
pub(super) const NEEDS: &[&str] = &[
    "Feels lonely since moving to the town.",
    "Would like company on walks.",
    "Worried about debts and rent.",
    "Cares for a partner and needs a break.",
    "Low in mood, used to sing in a choir.",
    "Lives alone and seldom leaves the house.",
    "Would like to be more active after a heart attack.",
    "New in the country, wishes to practise English.",
    "Bereaved last winter.",
    "Wants to learn to cook for one.",
];

pub(super) const HOLDS: &[&str] =
    &["In hospital; wishes to go on afterwards.", "Away with family for a month.", "The group pauses over the summer."];

pub(super) const REJECTIONS: &[&str] =
    &["No place free before next year.", "Lives outside the area we serve.", "Needs more support than we can give."];

pub(super) const FAILURES: &[&str] =
    &["Could not be reached after five attempts.", "Came once and did not come again.", "The group has closed."];

pub(super) const WITHDRAWALS: &[&str] =
    &["The person has changed their mind.", "Referred elsewhere meanwhile.", "Moved out of the area."];

pub(super) const OUTCOMES: &[&str] = &[
    "Joined the weekly walk; went six times.",
    "Came to eight of ten meetings and made a friend.",
    "A repayment plan is agreed.",
    "Sings with the choir every Tuesday now.",
    "Attended the first session, then declined.",
];
