using Post.Sockets.Associations;
using Post.Sockets.Associations.Connections;
using Post.Sockets.Protocol;

namespace Post.Sockets.Objects;

/// <summary>
/// Gives the receipts for objects that came, and remembers them: nobody knows which of them a lost connection brought home. Everything
/// happens under the association's lock.
/// </summary>
internal sealed class InboundReceipts(AssociationCore core)
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
    public void Give(ReceiptStatus status, long id, long bytes, bool immediately)
    {
        _ledger.Record(id, status);
        if (!core.IsClosed)
        {
            core.Carrier?.Frames.AddReceipt(status, id, bytes, immediately);
        }
    }

    /// <summary>A copy of what has its receipt came: it may be the receipt that got lost, with the connection that carried it.</summary>
    public void GiveAgain(long id)
    {
        if (_ledger.Find(id) is { } given)
        {
            core.Carrier?.Frames.AddReceipt(given, id, 0, immediately: false);
        }
    }

    /// <summary>Gives all receipts from an id on again.</summary>
    public void GiveAgainFrom(long lowest, PendingFrames frames)
    {
        foreach (var (status, ids) in _ledger.From(lowest))
        {
            frames.AddReceipts(status, ids);
        }
    }
}
