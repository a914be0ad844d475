namespace Post.Sockets.Protocol;

/// <summary>What the receiver says became of an object.</summary>
internal enum ReceiptStatus : long
{
    /// <summary>Handed to the receiving application.</summary>
    Delivered = 0x00,

    /// <summary>The receiving application said that it has dealt with it.</summary>
    Processed = 0x01,

    /// <summary>Its remaining lifetime ran out at the receiver.</summary>
    Expired = 0x02,

    /// <summary>An object that it requires expired, so it did too.</summary>
    AntecedentExpired = 0x03,

    /// <summary>Larger than the receiver accepts.</summary>
    TooLarge = 0x04,

    /// <summary>The receiving application did not want it.</summary>
    Refused = 0x05,

    /// <summary>The receiver holds as much as it may of objects that wait.</summary>
    ReceiverLimit = 0x06,
}
