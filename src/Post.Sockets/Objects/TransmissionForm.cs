namespace Post.Sockets.Objects;

/// <summary>The forms in which an object travels.</summary>
internal enum TransmissionForm : byte
{
    /// <summary>Nothing of it was handed over.</summary>
    None,

    /// <summary>One datagram.</summary>
    Datagram,

    /// <summary>A stream that the transport was given in one call.</summary>
    WholeStream,

    /// <summary>A stream that was opened and is written to.</summary>
    Stream,
}
