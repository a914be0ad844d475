using Post.Sockets.Protocol;

namespace Post.Sockets.Objects;

/// <summary>
/// Gives the receipts for objects that came, and remembers them: nobody knows which of them a lost connection brought home.
/// </summary>
internal sealed class InboundReceipts(ObjectEffects effects)
{
    private readonly ReceiptLedger _ledger = new();

    /// <summary>Ids below this one may have been seen.</summary>
    public void OnSeen(long below) => _ledger.OnSeen(below);

    /// <summary>The receipt that was given for an id; null for none.</summary>
    public ReceiptStatus? Find(long id) => _ledger.Find(id);

    /// <summary>Gives the receipt for an object.</summary>
    public void Give(InboundObject item, ReceiptStatus status)
    {
        item.HasReceipt = true;
        Give(status, item.Id, item.Came, item.WantsReceiptAtOnce);
    }

    /// <summary>Gives a receipt; while there is no connection, the next one does.</summary>
    public void Give(ReceiptStatus status, long id, long bytes, bool atOnce)
    {
        _ledger.Record(id, status);
        effects.GiveReceipt(id, status, bytes, atOnce);
    }

    /// <summary>A copy of what has its receipt came: it may be the receipt that got lost, with the connection that carried it.</summary>
    public void GiveAgain(long id)
    {
        if (_ledger.Find(id) is { } given)
        {
            effects.GiveReceipt(id, given, 0, atOnce: false);
        }
    }

    /// <summary>All receipts from an id on, which are given again.</summary>
    public IEnumerable<(ReceiptStatus Status, IdRange Ids)> From(long lowest) => _ledger.From(lowest);
}
