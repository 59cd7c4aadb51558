//! The operations of all five spaces, and what each is made of.

/// What an edge does to a state. Whatever has weights begins with a rectifier, convolves without bias and ends with a batch
/// normalisation; pools have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Zeros.
    None,
    /// The state itself; where the map is halved, a factorised reduction.
    SkipConnect,
    /// 3×3 mean of what lies inside.
    AvgPool3x3,
    /// 3×3 maximum.
    MaxPool3x3,
    /// 5×5 maximum.
    MaxPool5x5,
    /// 7×7 maximum.
    MaxPool7x7,
    /// 1×1 convolution.
    Conv1x1,
    /// 3×3 convolution.
    Conv3x3,
    /// 1×3 convolution, 3×1 convolution.
    Conv3x1Conv1x3,
    /// 1×7 convolution, 7×1 convolution.
    Conv7x1Conv1x7,
    /// Depthwise 3×3 convolution and 1×1 convolution, twice.
    SepConv3x3,
    /// Depthwise 5×5 convolution and 1×1 convolution, twice.
    SepConv5x5,
    /// Depthwise 7×7 convolution and 1×1 convolution, twice.
    SepConv7x7,
    /// Depthwise 3×3 convolution of every other position and 1×1 convolution, once.
    DilConv3x3,
    /// Depthwise 5×5 convolution of every other position and 1×1 convolution, once.
    DilConv5x5,
    /// Depthwise 3×3 convolution of every other position and 1×1 convolution, twice.
    DilSepConv3x3,
}

/// How an operation is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Zero,
    Skip,
    /// Mean over windows of so many rows and columns.
    Mean(usize),
    /// Maximum over them.
    Maximum(usize),
    /// Convolution with a square kernel.
    Convolution(usize),
    /// Convolution along rows, then along columns.
    RowsColumns(usize),
    /// Depthwise convolutions with a square kernel, each with a 1×1 convolution behind it.
    Separable {
        kernel: usize,
        dilation: usize,
        times: u32,
    },
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 16] = [
        Self::None,
        Self::SkipConnect,
        Self::AvgPool3x3,
        Self::MaxPool3x3,
        Self::MaxPool5x5,
        Self::MaxPool7x7,
        Self::Conv1x1,
        Self::Conv3x3,
        Self::Conv3x1Conv1x3,
        Self::Conv7x1Conv1x7,
        Self::SepConv3x3,
        Self::SepConv5x5,
        Self::SepConv7x7,
        Self::DilConv3x3,
        Self::DilConv5x5,
        Self::DilSepConv3x3,
    ];

    /// The name in genotypes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SkipConnect => "skip_connect",
            Self::AvgPool3x3 => "avg_pool_3x3",
            Self::MaxPool3x3 => "max_pool_3x3",
            Self::MaxPool5x5 => "max_pool_5x5",
            Self::MaxPool7x7 => "max_pool_7x7",
            Self::Conv1x1 => "conv_1x1",
            Self::Conv3x3 => "conv_3x3",
            Self::Conv3x1Conv1x3 => "conv_3x1_1x3",
            Self::Conv7x1Conv1x7 => "conv_7x1_1x7",
            Self::SepConv3x3 => "sep_conv_3x3",
            Self::SepConv5x5 => "sep_conv_5x5",
            Self::SepConv7x7 => "sep_conv_7x7",
            Self::DilConv3x3 => "dil_conv_3x3",
            Self::DilConv5x5 => "dil_conv_5x5",
            Self::DilSepConv3x3 => "dil_sep_conv_3x3",
        }
    }

    /// How it is computed.
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::None => Kind::Zero,
            Self::SkipConnect => Kind::Skip,
            Self::AvgPool3x3 => Kind::Mean(3),
            Self::MaxPool3x3 => Kind::Maximum(3),
            Self::MaxPool5x5 => Kind::Maximum(5),
            Self::MaxPool7x7 => Kind::Maximum(7),
            Self::Conv1x1 => Kind::Convolution(1),
            Self::Conv3x3 => Kind::Convolution(3),
            Self::Conv3x1Conv1x3 => Kind::RowsColumns(3),
            Self::Conv7x1Conv1x7 => Kind::RowsColumns(7),
            Self::SepConv3x3 => Kind::Separable { kernel: 3, dilation: 1, times: 2 },
            Self::SepConv5x5 => Kind::Separable { kernel: 5, dilation: 1, times: 2 },
            Self::SepConv7x7 => Kind::Separable { kernel: 7, dilation: 1, times: 2 },
            Self::DilConv3x3 => Kind::Separable { kernel: 3, dilation: 2, times: 1 },
            Self::DilConv5x5 => Kind::Separable { kernel: 5, dilation: 2, times: 1 },
            Self::DilSepConv3x3 => Kind::Separable { kernel: 3, dilation: 2, times: 2 },
        }
    }
}
