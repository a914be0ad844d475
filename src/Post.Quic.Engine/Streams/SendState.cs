namespace Post.Quic.Engine.Streams;

/// <summary>States of the sending part of a stream (RFC 9000 section 3.1; "Ready" and "Send" are one here).</summary>
internal enum SendState
{
    Open,

    /// <summary>All data and the end were sent once.</summary>
    DataSent,

    /// <summary>Final: all of it was acknowledged.</summary>
    DataReceived,

    /// <summary>A reset is on its way; with RESET_STREAM_AT, data up to the reliable size too.</summary>
    ResetSent,

    /// <summary>Final: the reset was acknowledged, and what it promised.</summary>
    ResetReceived,
}
