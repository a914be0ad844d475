using Spectre.Console;

namespace FileTransfer.Reporting;

/// <summary>Bars on a terminal; everything else as plain lines.</summary>
internal sealed class LiveReporter(TextWriter output, TextWriter error) : PlainReporter(output, error)
{
    public override async Task<T> TrackAsync<T>(string title, TransferProgress progress, Func<Task<T>> work)
    {
        T? result = default;
        await AnsiConsole.Progress()
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new PercentageColumn(),
                new DownloadedColumn(),
                new TransferSpeedColumn(),
                new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask(Markup.Escape(title), maxValue: 1);
                var working = work();
                using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
                while (await Task.WhenAny(working, timer.WaitForNextTickAsync().AsTask()) != working)
                {
                    Update(bar, title, progress);
                }

                Update(bar, title, progress);
                result = await working;
                bar.StopTask();
            });
        return result!;
    }

    private static void Update(ProgressTask bar, string title, TransferProgress progress)
    {
        bar.MaxValue = Math.Max(1, progress.Total);
        bar.Value = progress.Here + progress.Moved;
        bar.Description = Markup.Escape($"{title} {progress.FilesDone}/{progress.Files}");
    }
}
