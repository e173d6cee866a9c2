//! What devices read: a closed list, so that a sum over devices means something.

/// How a step's value follows from the readings in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Their mean over time.
    Mean,
    /// What a counter counted meanwhile.
    Difference,
    /// The last one.
    Last,
}

/// What a device reads. The numbers stand in the file of readings and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Quantity {
    /// Power: what a load draws, a source gives, a battery gives (negative: takes), a grid connection takes from the grid (negative: feeds in). kW.
    PowerKw = 0,
    /// A counter of energy: drawn, generated, or taken out of a battery. kWh.
    EnergyKwh = 1,
    /// A counter of what was taken from the grid, or put into a battery. kWh.
    ImportKwh = 2,
    /// A counter of what was fed into the grid. kWh.
    ExportKwh = 3,
    /// What a battery holds. kWh.
    StoredKwh = 4,
    /// What a battery holds of what it can hold, from 0 to 1.
    StoredShare = 5,
    /// Whether the grid is there: 1 or 0.
    GridUp = 6,
    /// Temperature, in degrees Celsius.
    TemperatureC = 7,
    /// Irradiance, in W a square metre.
    IrradianceWM2 = 8,
}

impl Quantity {
    /// Every quantity, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::PowerKw,
        Self::EnergyKwh,
        Self::ImportKwh,
        Self::ExportKwh,
        Self::StoredKwh,
        Self::StoredShare,
        Self::GridUp,
        Self::TemperatureC,
        Self::IrradianceWM2,
    ];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PowerKw => "power_kw",
            Self::EnergyKwh => "energy_kwh",
            Self::ImportKwh => "import_kwh",
            Self::ExportKwh => "export_kwh",
            Self::StoredKwh => "stored_kwh",
            Self::StoredShare => "stored_share",
            Self::GridUp => "grid_up",
            Self::TemperatureC => "temperature_c",
            Self::IrradianceWM2 => "irradiance_w_m2",
        }
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The quantity of that number.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|quantity| quantity.number() == number)
    }

    /// How a step's value follows from readings.
    pub const fn taken(self) -> Taken {
        match self {
            Self::PowerKw | Self::TemperatureC | Self::IrradianceWM2 => Taken::Mean,
            Self::EnergyKwh | Self::ImportKwh | Self::ExportKwh => Taken::Difference,
            Self::StoredKwh | Self::StoredShare | Self::GridUp => Taken::Last,
        }
    }

    /// The least and the greatest value anything reads.
    pub const fn range(self) -> (f64, f64) {
        match self {
            Self::PowerKw => (-1e9, 1e9),
            Self::EnergyKwh | Self::ImportKwh | Self::ExportKwh => (0.0, 1e12),
            Self::StoredKwh => (0.0, 1e9),
            Self::StoredShare | Self::GridUp => (0.0, 1.0),
            Self::TemperatureC => (-100.0, 1_000.0),
            Self::IrradianceWM2 => (-20.0, 2_000.0),
        }
    }

    /// Whether a reading can have that value.
    pub fn allows(self, value: f64) -> bool {
        let (least, greatest) = self.range();
        // Up or down, nothing between.
        let whole = self != Self::GridUp || value.fract().abs() < f64::EPSILON;
        (least..=greatest).contains(&value) && whole
    }
}
