namespace Post.Quic.Engine.Streams;

/// <summary>States of the receiving part of a stream (RFC 9000 section 3.2).</summary>
internal enum ReceiveState
{
    Open,

    /// <summary>The end is known, data before it is missing.</summary>
    SizeKnown,

    /// <summary>All data arrived.</summary>
    DataReceived,

    /// <summary>Final: the application read it all.</summary>
    DataRead,

    /// <summary>The peer reset the stream; the application does not know yet.</summary>
    ResetReceived,

    /// <summary>Final: the application knows of the reset, or wanted no more anyway.</summary>
    ResetRead,
}
