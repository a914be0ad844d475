namespace Post.Sockets.Objects;

/// <summary>What the rules of objects want done.</summary>
internal enum ObjectEffectKind
{
    /// <summary>Stop sending a sent object, but for its header.</summary>
    StopSending,

    /// <summary>Give a stream back.</summary>
    ReleaseStream,

    /// <summary>Ask the sender of an arriving object to stop.</summary>
    StopReading,

    /// <summary>The rank of a sent object has changed.</summary>
    ChangeRank,

    /// <summary>Tell the receiver that an object will not come.</summary>
    Abandon,

    /// <summary>Tell the sender what became of an object.</summary>
    GiveReceipt,

    /// <summary>Tell the sender where an object begins.</summary>
    GiveStart,

    /// <summary>A source is waited for in vain.</summary>
    InterruptSource,

    /// <summary>A sent object has its end, and the source that kept it is free.</summary>
    ReleaseSource,

    /// <summary>A sent object has reached a state that somebody waits for.</summary>
    TellState,

    /// <summary>A sent object has its end.</summary>
    Complete,

    /// <summary>The application has all of an object.</summary>
    CountDelivery,

    /// <summary>The application will not get an object, or not all of it.</summary>
    Discard,

    /// <summary>An object was given up because its antecedent never came.</summary>
    WarnOfAntecedent,
}
