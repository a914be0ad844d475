namespace Post.Sockets;

/// <summary>
/// How a listener behaves and what it may hold. Every property has a good default and validates itself when it is set. A listener takes a copy when it
/// begins.
/// </summary>
public sealed record ListenerOptions
{
    /// <summary>The options of its associations; null: the defaults, and for a hosted listener those of its Local.</summary>
    public AssociationOptions? Association { get; set; }

    /// <summary>What clients must prove; null: nothing.</summary>
    public PeerTrust? ClientTrust { get; set; }

    /// <summary>Associations at a time; more are refused.</summary>
    public int MaxAssociations
    {
        get;
        set => field = OptionRange.Number(value, 1, int.MaxValue, "associations at a time");
    } = 10_000;

    /// <summary>
    /// Associations that have lost their connection and wait for their initiator, at a time; each waits no longer than
    /// <see cref="AssociationOptions.ResumptionTimeout"/> and counts towards <see cref="MaxAssociations"/>. Beyond it, the peer that has the
    /// most of them (by its key, or, without one, by its address) loses its oldest. 1000 by default; zero: none wait.
    /// </summary>
    public int MaxInterrupted
    {
        get;
        set => field = OptionRange.Number(value, 0, int.MaxValue, "associations that wait for their initiator at a time");
    } = 1000;

    /// <summary>
    /// Bytes of partly received objects that all associations hold while they wait for their initiator, so that the objects continue from there; at
    /// most half of them for one peer (by its key, or, without one, by its address). What does not fit is dropped, and sent
    /// again from its beginning. 128 MiB by default, so that one peer has room for a whole default <see cref="AssociationOptions.ReceiveBudget"/>;
    /// zero: nothing is held.
    /// </summary>
    public long MaxInterruptedBytes
    {
        get;
        set => field = OptionRange.Number(value, 0, long.MaxValue, "bytes that those associations hold of objects that are not whole");
    } = 128L * 1024 * 1024;
}
