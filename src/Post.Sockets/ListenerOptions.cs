namespace Post.Sockets;

/// <summary>The bounds and habits of a listener.</summary>
public sealed record ListenerOptions
{
    /// <summary>The defaults.</summary>
    public static ListenerOptions Default { get; } = new();

    /// <summary>The options of its associations.</summary>
    public AssociationOptions Association
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(Association));
            field = value;
        }
    } = AssociationOptions.Default;

    /// <summary>What clients must prove; null: nothing.</summary>
    public PeerTrust? ClientTrust { get; init; }

    /// <summary>Associations at a time; more are refused.</summary>
    public int MaxAssociations
    {
        get;
        init => field = OptionRange.Number(value, 1, int.MaxValue, "associations at a time");
    } = 10_000;

    /// <summary>
    /// Associations that wait for their initiator to come back after their connection was lost, at a time; each waits no longer than
    /// <see cref="AssociationOptions.ResumptionTimeout"/>, and counts among <see cref="MaxAssociations"/>. Beyond it, the peer that has the
    /// most of them (by its key, or, without one, by its address) loses its oldest. 1000 by default; zero: none wait.
    /// </summary>
    public int MaxInterrupted
    {
        get;
        init => field = OptionRange.Number(value, 0, int.MaxValue, "associations that wait for their initiator at a time");
    } = 1000;

    /// <summary>
    /// Bytes that all associations which wait for their initiator hold of objects that had not arrived whole, and that go on from there when it
    /// comes back; half of them at most for one peer (by its key, or, without one, by its address). What does not fit is dropped, and sent
    /// again from its beginning. 128 MiB by default, so that one peer has room for a whole default <see cref="AssociationOptions.ReceiveBudget"/>;
    /// zero: nothing is held.
    /// </summary>
    public long MaxInterruptedBytes
    {
        get;
        init => field = OptionRange.Number(value, 0, long.MaxValue, "bytes that those associations hold of objects that are not whole");
    } = 128L * 1024 * 1024;
}
