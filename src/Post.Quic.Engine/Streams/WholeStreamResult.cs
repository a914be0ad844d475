namespace Post.Quic.Engine.Streams;

/// <summary>What became of the attempt to send a whole stream in one call.</summary>
internal enum WholeStreamResult
{
    /// <summary>Taken: it is opened, written and ended.</summary>
    Queued,

    /// <summary>Longer than such a stream may be, or than the peer's credit for one stream.</summary>
    TooLarge,

    /// <summary>Others wait to be sent, and with this one more would wait than the path soon takes.</summary>
    Full,

    /// <summary>The peer allows no further stream now.</summary>
    NoStreams,
}
