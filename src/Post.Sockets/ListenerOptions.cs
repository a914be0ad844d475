namespace Post.Sockets;

/// <summary>The bounds and habits of a listener.</summary>
public sealed record ListenerOptions
{
    /// <summary>The defaults.</summary>
    public static ListenerOptions Default { get; } = new();

    /// <summary>The options of its associations.</summary>
    public AssociationOptions Association { get; init; } = AssociationOptions.Default;

    /// <summary>What clients must prove; null: nothing.</summary>
    public PeerTrust? ClientTrust { get; init; }

    /// <summary>Associations at a time; more are refused.</summary>
    public int MaxAssociations
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(MaxAssociations));
            field = value;
        }
    } = 10_000;
}
