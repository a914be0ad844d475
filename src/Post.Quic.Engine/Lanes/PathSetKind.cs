namespace Post.Quic.Engine.Lanes;

/// <summary>What the ids of a <see cref="PathSet"/> mean.</summary>
internal enum PathSetKind : byte
{
    /// <summary>Every path; there are no ids.</summary>
    Any,

    /// <summary>These paths and no others.</summary>
    Only,

    /// <summary>Every path but these.</summary>
    AllBut,

    /// <summary>These paths while one of them works, and otherwise every path.</summary>
    Preferring,
}
