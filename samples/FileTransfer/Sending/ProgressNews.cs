using FileTransfer.Protocol;
using Post.Sockets;

namespace FileTransfer.Sending;

/// <summary>Tells the destination now and then how far the source is, so that reading does not look like standing still.</summary>
internal sealed class ProgressNews : IDisposable
{
    private readonly Timer _timer;

    public ProgressNews(Association association, uint request, SourceSession session) => _timer = new Timer(
        _ =>
        {
            try
            {
                association.SendProgress(request, new SourceProgress(session.Listed, session.Contents.Reading));
            }
            catch (PostException)
            {
                // News only; what ails the association shows in the sending itself.
            }
        },
        null,
        TransferLimits.ProgressInterval,
        TransferLimits.ProgressInterval);

    public void Dispose() => _timer.Dispose();
}
