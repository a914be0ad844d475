using System.Text;
using FileTransfer.Protocol;
using FileTransfer.Sources;

namespace FileTransfer.Sending;

/// <summary>One listing while it is gathered.</summary>
internal sealed class ListingPage
{
    private int _bytes;

    public List<FoundEntry> Found { get; } = [];

    public List<FailedFile> Failed { get; } = [];

    public List<FailedFile> PassedOver { get; } = [];

    public bool IsEmpty => Count == 0;

    public bool IsFull => Count >= TransferLimits.MaxListingEntries || _bytes >= TransferLimits.MaxListingBytes;

    private int Count => Found.Count + Failed.Count + PassedOver.Count;

    public void Add(SourceItem item)
    {
        switch (item)
        {
            case FoundEntry found:
                _bytes += Encoding.UTF8.GetByteCount(found.Entry.Path) + (found.Entry.Target?.Length ?? 0);
                Found.Add(found);
                break;
            case FoundFailure failure:
                Add(Failed, failure.Failure);
                break;
            case PassedOver passedOver:
                Add(PassedOver, passedOver.What);
                break;
            default:
                throw new InvalidOperationException($"A listing cannot hold a {item.GetType().Name}.");
        }
    }

    public Listing ToMessage(uint first) => new(first, [.. Found.Select(found => found.Entry)], Failed, PassedOver);

    private void Add(List<FailedFile> list, FailedFile file)
    {
        _bytes += Encoding.UTF8.GetByteCount(file.Path) + Encoding.UTF8.GetByteCount(file.Reason);
        list.Add(file);
    }
}
