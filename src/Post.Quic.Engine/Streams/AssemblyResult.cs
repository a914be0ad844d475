namespace Post.Quic.Engine.Streams;

/// <summary>What became of bytes given to a <see cref="ReceiveAssembler"/>.</summary>
internal enum AssemblyResult
{
    /// <summary>Taken, or known already.</summary>
    Accepted,

    /// <summary>Too far ahead of what was read.</summary>
    TooFarAhead,

    /// <summary>Too many pieces with gaps between them for the bytes they hold.</summary>
    TooManyFragments,
}
