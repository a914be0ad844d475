using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Telemetry;

var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = args, ContentRootPath = AppContext.BaseDirectory });
builder.Services.AddPostQuic(builder.Configuration.GetSection("Post"));
builder.Services.AddPostListener<StationHandler>("station");
builder.Services.AddHostedService<SensorWorker>();
await builder.Build().RunAsync();
